import type { Container } from "../objects.ts";
import type { Kind } from "../program.ts";
import { attic } from "./attic.ts";
import { bucket } from "./bucket.ts";
import { mirror } from "./mirror.ts";
import { objectStore } from "./object-store.ts";
import { postgres } from "./postgres.ts";

const kinds: readonly Kind[] = [postgres, objectStore, bucket, attic, mirror];

/** What plays a container; undefined where the sandbox plays nothing in it. */
export function kindOf(container: Container): Kind | undefined {
  return kinds.find((kind) => kind.plays(container));
}
