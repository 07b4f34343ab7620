import type { Policies } from "@pulumi/policy";
import { oneGarbageCollector } from "./data.ts";
import { noSecretInPlainSight } from "./pods.ts";

/** Every rule of the pack; tests import the rules themselves. */
export const policies: Policies = [oneGarbageCollector, noSecretInPlainSight];
