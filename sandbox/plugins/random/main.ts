import manifest from "@pulumi/random/package.json" with { type: "json" };
import { serve } from "../protocol/server.ts";
import { tableProvider } from "../protocol/table.ts";
import { RANDOM } from "./resources.ts";

serve(tableProvider("random", manifest.version, RANDOM));
