import manifest from "@pulumi/random/package.json" with { type: "json" };
import { serve } from "../../../provider/protocol/server.ts";
import { tableProvider } from "../table.ts";
import { RANDOM } from "./resources.ts";

serve(tableProvider("random", manifest.version, RANDOM));
