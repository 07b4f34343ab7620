/**
 * What is wrong with an address of the server, in words that follow its name; undefined where nothing is. They quote
 * nothing of it: there are addresses with a password.
 */
export function endpointFault(url: string): string | undefined {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    return "is not a URL such as https://cache.example.com/.";
  const { username, password, search, hash } = new URL(url);
  if (username !== "" || password !== "")
    return "has a user name or a password in it, which would stand in messages and in the state. Take it out: nothing but a token opens the server.";
  if (search !== "" || hash !== "")
    return "has a ? or a # in it. Take away what follows: paths are added to it.";
  return undefined;
}

/** The address with its slash at the end, so that paths can be added to it. */
export function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
