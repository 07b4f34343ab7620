/** The name under which a builder finds its netrc. */
export const NETRC_SECRET = "nix-builder-netrc";
/** The key in that Secret, and so the file's name where it is mounted. */
export const NETRC_FILE = "netrc";

/**
 * One entry of a netrc, from which Nix takes the token for a cache that is not public: Attic reads the password and
 * no name, but not every version of curl uses an entry that has none.
 *
 * @param endpoint address of the API. @param token secret.
 */
export function netrc(endpoint: string, token: string): string {
  return `machine ${new URL(endpoint).hostname}\nlogin attic\npassword ${token}\n`;
}
