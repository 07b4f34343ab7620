/** One part of a form: its name, the type of what it holds, and that. */
export interface Part {
  name: string;
  type: string;
  contents: Buffer;
}

const END_OF_HEADERS = Buffer.from("\r\n\r\n");

/**
 * Takes a body of multipart/form-data apart, RFC 7578; undefined where it is none.
 *
 * @param type the request's Content-Type, which names the boundary.
 */
export function parseForm(type: string, body: Buffer): Part[] | undefined {
  const [, quoted, plain] = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return undefined;
  const line = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let at = body.indexOf(line);
  while (at >= 0) {
    const begin = at + line.length;
    if (body.toString("latin1", begin, begin + 2) === "--") return parts;
    const head = body.indexOf(END_OF_HEADERS, begin);
    const next = body.indexOf(Buffer.concat([Buffer.from("\r\n"), line]), begin);
    if (head < 0 || next < 0) return undefined;
    const headers = body.toString("utf8", begin, head);
    const [, name] = /content-disposition:[^\r\n]*;\s*name="((?:[^"\\]|\\.)*)"/i.exec(headers) ?? [];
    if (name === undefined) return undefined;
    const [, kind = "text/plain"] = /content-type:\s*([^\r\n;]+)/i.exec(headers) ?? [];
    const contents = body.subarray(Math.min(head + END_OF_HEADERS.length, next), next);
    parts.push({ name: name.replace(/\\(.)/g, "$1"), type: kind.trim(), contents });
    at = next + 2;
  }
  return undefined;
}
