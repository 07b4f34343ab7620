/** Words for a type or a function that a stand-in does not play. */
export function unplayed(what: string, token: string, plugin: string): string {
  return (
    `the sandbox's stand-in for pulumi-resource-${plugin} does not play the ${what} ${token}; ` +
    `with the official plugin on PATH, SANDBOX_REAL=${plugin} makes the sandbox use that one`
  );
}
