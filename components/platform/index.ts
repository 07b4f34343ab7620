export { claim, type ClaimSettings } from "./claim.ts";
export { objectLabels, type Role, selectorLabels } from "./labels.ts";
export * from "./network.ts";
export { randomHex } from "./random-hex.ts";
export { single, type SingleArgs } from "./single.ts";
export { Platform, type PlatformArgs } from "./platform.ts";
export { NOBODY, resourceRequirements, restrictedContainer, restrictedPod, scratch } from "./pod.ts";
export type * from "./types.ts";
