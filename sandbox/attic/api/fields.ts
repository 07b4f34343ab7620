import { z } from "zod";
import { isCacheName } from "../../../components/attic/names.ts";
import { isKeypair } from "../nix/keypair.ts";

/** Fields that several requests have, as strict as Attic takes them. */
export const cacheName = z.string().refine(isCacheName, "Invalid cache name");
export const storePathHash = z.string().regex(/^[0-9a-df-np-sv-z]{32}$/, "Invalid store path hash");
export const keypair = z.union([
  z.literal("Generate"),
  z.object({ Keypair: z.string().refine(isKeypair, "is not a keypair as Nix writes it") }),
]);
