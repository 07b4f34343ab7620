export { AtticServer, type AtticServerArgs } from "./attic-server.ts";
export type { SigningAlgorithm, SigningKey } from "./signing-key.ts";
