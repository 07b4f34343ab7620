import pulumi from "@pulumi/pulumi";

/**
 * A database's URL for another role.
 *
 * @param suffix what the role is called after the name of the URL's own one, which is the server's: roles belong to
 *   all databases of a PostgreSQL server, and another stack may have one there.
 * @returns a secret.
 */
export function asRole(
  url: pulumi.Output<string>,
  suffix: string,
  password: pulumi.Output<string>,
): pulumi.Output<string> {
  return pulumi.secret(
    pulumi.all([url, password]).apply(([text, word]) => {
      const parsed = new URL(text);
      parsed.username = `${parsed.username}_${suffix}`;
      parsed.password = word;
      // The path of a certificate stays readable, as where the URL was made.
      parsed.search = parsed.search.replaceAll("%2F", "/");
      return parsed.href;
    }),
  );
}
