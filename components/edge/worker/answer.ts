import { Response } from "./platform.ts";

/** For all answers: what is in a store path may look like a page, and is none. */
export const COMMON = { "x-content-type-options": "nosniff" } as const;

/** A text that this Worker itself makes: short, and for nobody to keep unless it is said. */
export function answer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = new TextEncoder().encode(text);
  return new Response(body, {
    status,
    headers: {
      ...COMMON,
      "content-length": String(body.length),
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
  });
}
