/** The first line of every answer. */
export const XML = '<?xml version="1.0" encoding="UTF-8"?>';

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Content of an element: text, or elements by their names; of a list, one element an entry; undefined is left out. */
export type Content = string | number | boolean | undefined | { [name: string]: Content | Content[] };

/** Writes an element and what is in it. */
export function element(name: string, content: Content, attributes = ""): string {
  if (content === undefined) return "";
  const inner =
    typeof content === "object"
      ? Object.entries(content)
          .flatMap(([child, value]) =>
            (Array.isArray(value) ? value : [value]).map((entry) => element(child, entry)),
          )
          .join("")
      : escape(String(content));
  return `<${name}${attributes}>${inner}</${name}>`;
}

function escape(text: string): string {
  // XML has no word for most control characters as they stand; as references SDKs read them.
  return text
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
    .replace(/[\u0001-\u001f]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** The contents of all elements of a name, in their order: enough for what SDKs send. */
export function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"));
  return [...found].map(([, inner = ""]) => inner);
}

/** Text as it was before it was written into XML. */
export function unescape(text: string): string {
  const names = new Map(Object.entries(ENTITIES).map(([sign, entity]) => [entity, sign]));
  return text
    .replace(/&#(x[0-9a-f]+|\d+);/gi, (_, code: string) =>
      String.fromCodePoint(Number(code.startsWith("x") ? `0${code}` : code)),
    )
    .replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => names.get(entity) ?? entity);
}
