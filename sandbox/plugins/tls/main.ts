import manifest from "@pulumi/tls/package.json" with { type: "json" };
import { serve } from "../../../provider/protocol/server.ts";
import { tableProvider } from "../table.ts";
import { TLS } from "./resources.ts";

serve(tableProvider("tls", manifest.version, TLS));
