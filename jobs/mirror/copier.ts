import { createHash } from "node:crypto";
import { narinfoKey, narKey } from "../../components/edge/layout.ts";
import type { Attic } from "./attic.ts";
import type { Row } from "./database/database.ts";
import type { Change } from "./difference.ts";
import { type Entry, type Orphan, within } from "./index/entries.ts";
import { toBase32 } from "./nar/base32.ts";
import { EXTENSIONS, NarCheck } from "./nar/check.ts";
import { Memory } from "./nar/memory.ts";
import { memoryOf, transfer } from "./nar/transfer.ts";
import {
  checkNarInfo,
  type NarFile,
  type NarInfo,
  parseNarInfo,
  type PublicKey,
  writeNarInfo,
} from "./narinfo.ts";
import type { Bucket } from "./s3/bucket.ts";
import { sha256 } from "./s3/sign.ts";
import type { Service } from "./service.ts";
import { Failure, Nonsense, Transient, wordsOf } from "./trouble.ts";

/** How many bytes of NARs may be in memory at once. */
const MEMORY = 64 * 2 ** 20;

/** A cache's key, and what says in stamps which one it was. */
export interface SigningKey extends PublicKey {
  tag: string;
}

export interface CopierParts {
  attic: Attic;
  /** The service that Attic is. */
  service: Service;
  bucket: Bucket;
  /** By the cache's name. */
  keys: ReadonlyMap<string, SigningKey>;
  /** What is at the edge already, by the cache and the NAR's hash; to be added to. */
  files: Map<string, NarFile | Orphan>;
  stop: AbortSignal;
}

/** Copies paths, NAR first and narinfo last. */
export class Copier {
  readonly #parts: CopierParts;
  readonly #memory = new Memory(MEMORY);
  /** NARs that are being copied, so that no other path with the same one copies it too. */
  readonly #underWay = new Map<string, Promise<NarFile | undefined>>();
  /** Files that no narinfo named when the run began, by {@link within}. */
  readonly added = new Map<string, NarFile & { cache: string }>();
  /** Of the NARs that were copied. */
  bytes = 0;
  /** Whether something was asked of the bucket of which it is not known whether it was done. */
  isUncertain = false;

  constructor(parts: CopierParts) {
    this.#parts = parts;
  }

  /**
   * @returns what is at the edge then, or undefined where the server does not have the path any more.
   * @throws Failure, Nonsense, Stopped
   */
  async copy({ row, old }: Change): Promise<Entry | undefined> {
    const { cache, hash } = row;
    const { attic, bucket, keys } = this.#parts;
    const key = keys.get(cache);
    if (key === undefined) throw new Failure(`Attic says nothing of the cache ${cache}`);
    const text = await attic.narInfo(cache, hash);
    if (text === undefined) return undefined;
    const info = parseNarInfo(text);
    checkNarInfo(info, row, key);
    const nar = await this.#nar(row, info);
    if (nar === undefined) return undefined;
    const written = Buffer.from(writeNarInfo(info, nar));
    const stamp = row.stamp + key.tag;
    // What a killed run has written need not be written again; in most stores the ETag is the MD5.
    if (old?.etag === createHash("md5").update(written).digest("hex")) return { ...old, ...nar, stamp };
    const content = { pieces: [written], size: written.length, sha256: sha256(written) };
    const etag = await this.#surely(bucket.put(narinfoKey(cache, hash), content, "text/x-nix-narinfo"));
    return { cache, hash, ...nar, stamp, etag };
  }

  async #nar(row: Row, info: NarInfo): Promise<NarFile | undefined> {
    const name = within(row.cache, row.narHash);
    const known = this.#parts.files.get(name);
    if (known !== undefined && !("since" in known)) return known;
    let copying = this.#underWay.get(name);
    if (copying === undefined) {
      copying = this.#obtain(row, info, known);
      this.#underWay.set(name, copying);
      // It is looked at by whoever waits for it.
      copying
        .catch(() => undefined)
        .finally(() => this.#underWay.delete(name))
        .catch(() => undefined);
    }
    return await copying;
  }

  /** Takes the file that is at the edge and that no narinfo names, or else copies the NAR. */
  async #obtain(row: Row, info: NarInfo, orphan: Orphan | undefined): Promise<NarFile | undefined> {
    const adopted = orphan && (await this.#adopt(row, orphan));
    const nar = adopted ?? (await this.#fetch(row, info.get("Compression") ?? ""));
    if (nar === undefined) return undefined;
    this.added.set(within(row.cache, nar.file), { cache: row.cache, ...nar });
    this.#parts.files.set(within(row.cache, row.narHash), nar);
    return nar;
  }

  async #fetch(row: Row, compression: string): Promise<NarFile | undefined> {
    if (EXTENSIONS[compression] === undefined)
      throw new Failure(
        `it cannot be checked what is in a NAR compressed by ${compression}: set compression.type of the server to zstd and push the path again`,
      );
    const { attic, service, bucket, stop } = this.#parts;
    return await service.retrying(`GET ${row.cache}/nar/${row.hash}.nar at Attic`, () =>
      this.#memory.with(memoryOf(row.narSize), async () => {
        const source = await attic.nar(row.cache, row.hash, stop);
        if (source === undefined) return undefined;
        try {
          const nar = await this.#surely(
            transfer(bucket, { cache: row.cache, compression, expected: row, source, abort: stop }),
          );
          this.bytes += nar.fileSize;
          return nar;
        } catch (error) {
          // It may have been cut off by what stands between.
          if (error instanceof Nonsense) throw new Transient(error.message, 2);
          throw error;
        }
      }),
    );
  }

  /** @returns undefined where the file is not what it should be. */
  async #adopt(
    { cache, narHash, narSize }: Row,
    { file, fileHash, fileSize }: Orphan,
  ): Promise<NarFile | undefined> {
    if (fileHash !== "") return { file, fileHash, fileSize };
    const extension = /\.nar(.*)$/.exec(file)?.[1];
    const compression = Object.entries(EXTENSIONS).find(([, each]) => each === extension)?.[0];
    if (compression === undefined) return undefined;
    const check = new NarCheck(compression, { narHash, narSize });
    const hash = createHash("sha256");
    try {
      for await (const bytes of this.#parts.bucket.read(narKey(cache, file))) {
        hash.update(bytes);
        await check.take(bytes);
      }
      await check.finish();
      return { file, fileHash: toBase32(hash.digest()), fileSize };
    } catch (error) {
      if (error instanceof Nonsense || error instanceof Failure || error instanceof Transient)
        return undefined;
      throw new Failure(wordsOf(error));
    }
  }

  /** What the bucket was asked and has not answered may have been done all the same. */
  async #surely<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof Failure) this.isUncertain = true;
      throw error;
    }
  }
}
