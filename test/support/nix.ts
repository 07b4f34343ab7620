import { mkdtempSync } from "node:fs";
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive } from "../../sandbox/welcome/store-path.ts";
import { run, type Result } from "./command.ts";

/** Whether there is a Nix client on this machine. Where NIX_REQUIRED is set, its absence is no excuse. */
export async function hasNix(): Promise<boolean> {
  const found = await run("nix-store", ["--version"]).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!found && (process.env.NIX_REQUIRED ?? "") !== "")
    throw new Error("There is no nix-store on PATH, and NIX_REQUIRED asks for it: apt-get install nix-bin");
  return found;
}

/** A path of a store with what a client tells a cache of it. */
export interface StorePath {
  path: string;
  nar: Buffer;
  references: string[];
}

/** The real Nix client with a store of its own, which holds /nix/store below a temporary folder. */
export class Nix {
  readonly root = mkdtempSync(join(tmpdir(), "attic-stack-nix-"));

  /** Runs one of Nix' programs on that store, without any configuration of this machine. */
  async run(program: "nix-store" | "nix-instantiate", ...args: readonly string[]): Promise<Result> {
    const off = ["substituters", "trusted-public-keys", "netrc-file"].flatMap((name) => [
      "--option",
      name,
      "",
    ]);
    const usual = ["--store", this.root, ...off, "--option", "narinfo-cache-negative-ttl", "0"];
    return await run(program, [...usual, ...args], {
      env: {
        HOME: this.root,
        XDG_CACHE_HOME: join(this.root, "cache"),
        NIX_CONF_DIR: this.root,
        NIX_USER_CONF_FILES: "",
        NIX_REMOTE: "",
      },
    });
  }

  /** Makes a closure of so many paths, each of which refers to all before it. @returns them, the last one last. */
  async closure(count: number, bytes: number): Promise<StorePath[]> {
    // Text that is written into the store may refer to other such text, and nothing has to be built.
    const expression = `
      let
        filler = builtins.substring 0 ${bytes} (builtins.concatStringsSep "" (builtins.genList (i: builtins.hashString "sha512" (toString i)) ${Math.ceil(bytes / 128)}));
        add = all: n: all ++ [ (builtins.toFile "path-\${toString n}" "\${filler} \${toString n} \${builtins.concatStringsSep " " all}") ];
      in builtins.foldl' add [ ] (builtins.genList (n: n) ${count})`;
    const made = await this.run(
      "nix-instantiate",
      ...["--eval", "--strict", "--json", "--read-write-mode", "-E", expression],
    );
    if (made.code !== 0) throw new Error(made.stderr);
    const paths = JSON.parse(made.stdout) as string[];
    return await Promise.all(
      paths.map(async (path) => {
        const references = (await this.run("nix-store", "--query", "--references", path)).stdout.trim();
        return {
          path,
          nar: archive(await readFile(join(this.root, path))),
          // Nix signs them in this order, and tells them in another.
          references: references === "" ? [] : references.split("\n").sort(),
        };
      }),
    );
  }

  /** Pulls a path with all that it refers to from one substituter. */
  async pull(path: string, substituter: string, options: Readonly<Record<string, string>>): Promise<Result> {
    const given = Object.entries({ substituters: substituter, ...options });
    return await this.run(
      "nix-store",
      ...["--realise", path],
      ...given.flatMap(([name, value]) => ["--option", name, value]),
    );
  }

  /** What a path refers to, itself included, in no order. */
  async closureOf(path: string): Promise<string[]> {
    return (await this.run("nix-store", "--query", "--requisites", path)).stdout.trim().split("\n");
  }

  async remove(): Promise<void> {
    await makeWritable(this.root);
    await rm(this.root, { recursive: true, force: true });
  }
}

/** What Nix puts into a store it makes read-only. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
}
