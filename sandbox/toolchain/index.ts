export type { ToolName } from "./catalog.ts";
export { provideManifests, type Manifests } from "./manifests.ts";
export { provideTools } from "./tools.ts";
