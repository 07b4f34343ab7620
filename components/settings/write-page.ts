import { writeFileSync } from "node:fs";
import { settingsPage } from "./document.ts";

writeFileSync(new URL("../../docs/settings.md", import.meta.url), settingsPage());
