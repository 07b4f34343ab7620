// The engine loads a pack by `require` with ts-node before it, which checks every type again at each preview.
// So this one file is CommonJS, and brings the rules in by `import`, which Node runs as they stand.
const { PolicyPack } = require("@pulumi/policy");

void import("./rules/index.ts").then(({ policies }) => new PolicyPack("attic-stack", { policies }));
