import { execFile, spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "../support/lock.ts";
import type { Say } from "../support/progress.ts";
import type { GoSource } from "./catalog.ts";
import { which } from "./on-path.ts";

/** How often a build says how far it is, in milliseconds: in a log every time is a line. */
const TELL = 10_000;
/** How much of what the compiler says is shown when it fails, in characters. */
const ERROR_TAIL = 1_000;

/** A Go module that cannot be had or built, with the reason in one line. */
export class GoError extends Error {
  override readonly name = "GoError";
}

/** What `go mod download -json` says of a module, as far as it is used here. */
interface DownloadedModule {
  Dir: string;
  GoMod: string;
  Error?: string;
}

/** What `go mod edit -json` says of a go.mod, as far as it is used here. */
interface GoMod {
  Go: string;
  Replace?: { Old: { Path: string }; New: { Path: string; Version?: string } }[] | null;
}

/** The folder with the files of a Go module, read-only; Go checks it against its checksum database. */
export async function downloadModule(module: string, version: string, folder: string): Promise<string> {
  return (await describe(module, version, folder)).Dir;
}

/**
 * Builds programs from their Go module, in a module made for the purpose, whose dependencies are those that
 * the programs' own go.mod asks for. Only one such build compiles on the machine at a time.
 *
 * @param folder where the programs go, under their names.
 * @throws GoError where there is no Go, or it fails.
 */
export async function build(source: GoSource, folder: string, say: Say): Promise<void> {
  const work = join(folder, "work");
  await mkdir(work);
  try {
    const commands = Object.entries(source.commands);
    const packages = commands.map(([, path]) => path);
    say(`downloading Go module ${source.module}`);
    await writeFile(join(work, "go.mod"), await goModFor(source, work));
    // All that it is made of, so that one build downloads while another compiles.
    await go(["list", "-deps", "-f", "", ...packages], work);
    const wait = () => {
      say("waiting for another build to end");
    };
    await withLock("attic-stack go build", wait, async () => {
      say(`building from Go module ${source.module}`);
      const [first] = commands;
      // With several programs Go names each after its package; one is named here, as etcd's is called "server".
      const output = commands.length === 1 && first ? join(folder, first[0]) : `${folder}/`;
      const flags = ["-s", "-w", ...source.variables.map((variable) => `-X ${variable}`)].join(" ");
      await compile(
        ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output],
        packages,
        work,
        say,
      );
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function goModFor(source: GoSource, work: string): Promise<string> {
  const { GoMod } = await describe(source.module, source.version, work);
  const theirs = JSON.parse(await go(["mod", "edit", "-json", GoMod], work)) as GoMod;
  const lines = [
    "module attic-stack.invalid/tools",
    `go ${theirs.Go}`,
    `require ${source.module} ${source.version}`,
  ];
  for (const { Old, New } of theirs.Replace ?? []) {
    // Replacements count only in the main module. A folder of the module's own repository is no longer at hand.
    const local = New.Version === undefined;
    if (local && source.staging === undefined) continue;
    const target = local ? `${Old.Path} ${source.staging ?? ""}` : `${New.Path} ${New.Version ?? ""}`;
    lines.push(`replace ${Old.Path} => ${target}`);
  }
  return `${lines.join("\n")}\n`;
}

async function describe(module: string, version: string, folder: string): Promise<DownloadedModule> {
  // Outside of any module, so that no go.mod nearby has a say.
  const text = await go(["mod", "download", "-json", `${module}@${version}`], folder);
  const answer = JSON.parse(text) as DownloadedModule;
  if (answer.Error) throw new GoError(firstLine(answer.Error));
  return answer;
}

async function go(args: string[], cwd: string): Promise<string> {
  const program = await goProgram();
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env: goEnvironment(),
      maxBuffer: 1 << 26,
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const said = /"Error": "(.*)"/u.exec(stdout ?? "")?.[1] ?? stderr ?? String(error);
    throw new GoError(`go ${args.slice(0, 2).join(" ")}: ${firstLine(said)}`);
  }
}

async function compile(flags: string[], packages: string[], cwd: string, say: Say): Promise<void> {
  const child = spawn(await goProgram(), [...flags, ...packages], {
    cwd,
    env: goEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let compiled = 0;
  let told = performance.now();
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    // -v prints a line for every package compiled.
    compiled += text.split("\n").filter((line) => line !== "" && !line.startsWith("go: ")).length;
    tail = (tail + text).slice(-ERROR_TAIL);
    if (performance.now() - told < TELL) return;
    told = performance.now();
    say(compiled === 0 ? "downloading Go modules" : `compiling, ${compiled} Go packages so far`);
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (code !== 0) throw new GoError(`go build fails with ${tail.trim().split("\n").slice(-3).join(" ")}`);
}

async function goProgram(): Promise<string> {
  const program = await which("go");
  if (program === undefined) throw new GoError("there is no Go on PATH");
  return program;
}

/** The user's own settings for Go, such as where modules come from, but for those that change what is built. */
function goEnvironment(): NodeJS.ProcessEnv {
  const changing = ["GOOS", "GOARCH", "GOEXPERIMENT"];
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !changing.includes(name))),
    CGO_ENABLED: "0",
    GO111MODULE: "on",
    GOFLAGS: "-mod=mod",
    // Fetches the Go that a module asks for where the one at hand is older.
    GOTOOLCHAIN: "auto",
    GOWORK: "off",
  };
}

function firstLine(text: string): string {
  return text.trim().split(/\\n|\n/u)[0] ?? "";
}
