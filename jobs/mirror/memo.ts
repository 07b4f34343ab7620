import { INDEX_PREFIX } from "../../components/edge/layout.ts";
import type { Bucket } from "./s3/bucket.ts";
import { sha256 } from "./s3/sign.ts";

/** Where the index is. */
export const INDEX_KEY = `${INDEX_PREFIX}paths`;
const MEMO_KEY = `${INDEX_PREFIX}memo.json`;

/** What is written before a run changes anything. */
export interface Memo {
  version: 1;
  /** The run that last began to change the bucket. Where the index is not from it, the index may be wrong. */
  run: string;
  /** Up to when reads at the edge were told to the server, in seconds since 1970. */
  readsUntil: number;
}

/** @returns what stands there, or a memo of nothing where there is none that can be read. */
export async function loadMemo(bucket: Bucket): Promise<Memo> {
  const bytes = await bucket.get(MEMO_KEY);
  try {
    const memo = JSON.parse(bytes?.toString() ?? "") as Partial<Memo> | null;
    if (memo?.version === 1 && typeof memo.run === "string" && typeof memo.readsUntil === "number")
      return memo as Memo;
  } catch {
    // It is damaged, which is as good as none.
  }
  return { version: 1, run: "", readsUntil: 0 };
}

export async function saveMemo(bucket: Bucket, memo: Memo): Promise<void> {
  await putJson(bucket, MEMO_KEY, memo);
}

export async function putJson(bucket: Bucket, key: string, value: unknown): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value));
  await bucket.put(key, { pieces: [bytes], size: bytes.length, sha256: sha256(bytes) }, "application/json");
}
