// Loaded into every Node process of a preview by NODE_OPTIONS; the one that runs the program writes down, when
// it ends, how much memory it took at most and what it loaded.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

if (process.argv[1]?.includes("@pulumi/pulumi/cmd/run/")) {
  process.on("exit", () => {
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    const report = {
      megabytes: process.resourceUsage().maxRSS / 1024,
      awsModules: loaded.filter((file) => file.includes("/@pulumi/aws/")).length,
    };
    writeFileSync(process.env.PROGRAM_REPORT, JSON.stringify(report));
  });
}
