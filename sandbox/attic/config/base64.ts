/**
 * Decodes standard base64 as strictly as Attic does: no line break, no blank, all padding. A Secret whose value
 * ends with a newline must not work here and fail there.
 *
 * @returns undefined where the text is something else.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
