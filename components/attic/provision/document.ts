import { createRequire } from "node:module";
import type { Document } from "yaml";
import type { Mistake, Place } from "../../settings/mistakes.ts";

/** Loaded where there is a file to read: that takes 20 ms, and most stacks have none. */
const load = () => createRequire(import.meta.url)("yaml") as typeof import("yaml");

/** A YAML text as plain values, and where in it each of them stands. */
export interface YamlFile {
  /** Undefined where the text cannot be read at all, or says nothing. */
  value: unknown;
  mistakes: Mistake[];
  /** The place of a value, or of its key; where there is none, that of what it is missing in. */
  place: (path: readonly PropertyKey[], of: "key" | "value") => Place;
}

/** Uses of anchors, also of one in another: a file of a few lines can otherwise stand for gigabytes. */
const MOST_ALIASES = 1000;
/** One bracket too few makes an error of each line after it. */
const MOST_FAULTS = 10;

/**
 * Reads one document of YAML 1.2.
 *
 * What is said of a mistake is ours: the parser's own messages quote the text, which may hold a token.
 */
export function readYaml(text: string, file: string): YamlFile {
  // The parser's own counter of lines loses count behind some errors.
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const placeAt = (offset: number): Place => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const { parseDocument } = load();
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      stringKeys: true,
      // With "silent" a second document would be passed over.
      logLevel: "error",
    });
    const faults = [...document.errors, ...document.warnings, ...unknownAliases(document)]
      .map(({ code, pos: [offset] }) => ({ code, offset }))
      .sort((a, b) => a.offset - b.offset)
      .filter(({ offset }, index, all) => offset !== all[index - 1]?.offset);
    return {
      value: faults.every(({ code }) => READABLE.includes(code))
        ? ((document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown) ?? undefined)
        : undefined,
      mistakes: faults.slice(0, MOST_FAULTS).map(({ code, offset }) => {
        const [found, allowed] = FAULTS[code] ?? NOT_YAML;
        return { key: "the file", found, allowed, place: placeAt(offset) };
      }),
      place: (path, of) => placeAt(offsetOf(document, path, of)),
    };
  } catch {
    // Aliases that stand for themselves or for too much, and lists in lists deeper than the parser goes.
    const place = { file, line: 1, column: 1 };
    const mistake = { key: "the file", found: "more than can be read", allowed: "plain lists and objects" };
    return { value: undefined, mistakes: [{ ...mistake, place }], place: () => place };
  }
}

/** What is wrong and yet leaves no doubt about the rest. */
const READABLE: readonly string[] = ["DUPLICATE_KEY", "TAG_RESOLVE_FAILED"];

const NOT_YAML = ["what is not YAML", "YAML, with each list and object as the lines above begin it"] as const;

const FAULTS: Readonly<Record<string, readonly [found: string, allowed: string]>> = {
  BAD_ALIAS: ["a * with a name that no & gives", "a name that an & before it gives, or the value in quotes"],
  BAD_INDENT: ["a line that is indented wrongly", "the indentation of the lines that it belongs to"],
  BLOCK_AS_IMPLICIT_KEY: [
    "a second colon, or a list, in one line",
    "one key a line, and values with a colon in quotes",
  ],
  DUPLICATE_KEY: ["a key that its object has already", "each key once"],
  MISSING_CHAR: [
    "a bracket, quote, comma or colon missing",
    "pairs of brackets and quotes, and a colon and space after a key",
  ],
  MULTIPLE_DOCS: ["a second document", "one document: no line that is ---, but at the top"],
  NON_STRING_KEY: ["a key that is no text", "texts as keys"],
  TAB_AS_INDENT: ["a tab in the indentation", "spaces"],
  TAG_RESOLVE_FAILED: ["a tag that is not known", "plain values, without a word that begins with !"],
};

/** Aliases of nothing, which the parser finds only once it is to give their value. */
function unknownAliases(document: Document): { code: string; pos: [number] }[] {
  const { isAlias, visit } = load();
  const anchors = new Set<string>();
  const unknown: { code: string; pos: [number] }[] = [];
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return;
      }
      if (!anchors.has(node.source)) unknown.push({ code: "BAD_ALIAS", pos: [startOf(node) ?? 0] });
    },
  });
  return unknown;
}

function offsetOf(document: Document, path: readonly PropertyKey[], of: "key" | "value"): number {
  const { isAlias, isMap, isScalar, isSeq } = load();
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const inside: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(inside)) {
      const pair = inside.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      const last = index === path.length - 1;
      node = last && of === "key" ? pair.key : (pair.value ?? pair.key);
    } else if (isSeq(inside)) {
      node = inside.items[Number(step)];
    } else break;
    offset = startOf(node) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return load().isNode(node) ? node.range?.[0] : undefined;
}
