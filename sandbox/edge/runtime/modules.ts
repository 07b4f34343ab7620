/** What workerd takes a module for, by the type that it is uploaded with. */
export const KINDS = {
  "application/javascript+module": "ESModule",
  "application/javascript": "CommonJS",
  "text/javascript": "CommonJS",
  "application/octet-stream": "Data",
  "application/wasm": "CompiledWasm",
  "text/plain": "Text",
  "text/html": "Text",
} as const satisfies Record<string, string>;

/** A module as miniflare takes it. */
export interface Module {
  type: (typeof KINDS)[keyof typeof KINDS];
  path: string;
  contents: string | Uint8Array<ArrayBuffer>;
}

/** The module of a name, with the contents it was uploaded with. */
export function toModule(name: string, type: string, contents: Buffer): Module {
  const kind = KINDS[type as keyof typeof KINDS];
  const bytes = kind === "Data" || kind === "CompiledWasm";
  return { type: kind, path: `/${name}`, contents: bytes ? new Uint8Array(contents) : contents.toString() };
}
