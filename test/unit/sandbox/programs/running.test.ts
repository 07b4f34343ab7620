import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Changes } from "../../../../sandbox/programs/changes.ts";
import { Fault, NotYet } from "../../../../sandbox/programs/objects.ts";
import type { Program } from "../../../../sandbox/programs/program.ts";
import { Running, type State } from "../../../../sandbox/programs/running.ts";

/** Runs, notes how it was told to end, and ends then. */
const SERVER = "trap 'echo told; exit 0' TERM; echo up $WORD; while :; do sleep 0.05; done";

describe("a program that is kept running", function () {
  this.timeout(20_000);
  let folder: string;
  let changes: Changes;
  let running: Running;
  let said: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "attic-stack-running-"));
    changes = new Changes();
    said = [];
  });

  afterEach(async () => {
    await running.stop();
    rmSync(folder, { recursive: true });
  });

  const shell = (script: string, over: Partial<Program> = {}): Program => ({
    command: "/bin/sh",
    args: ["-c", script],
    env: { WORD: "one" },
    after: [],
    once: false,
    refusesRoot: false,
    ...over,
  });
  const keep = (
    plan: () => Program | Promise<Program>,
    waitsFor: () => string | undefined = () => undefined,
  ) => {
    running = new Running({
      name: "attic/pod/main",
      log: join(folder, "log"),
      done: join(folder, "done"),
      changes,
      plan: async () => await plan(),
      lay: () => Promise.resolve(),
      waitsFor,
      runAs: () => Promise.resolve({ prefix: [] }),
      say: (text) => said.push(text.replace(/\d+/, "N")),
    });
    return running;
  };
  const log = () => readFileSync(join(folder, "log"), "utf8");
  const until = async (state: State) => {
    while (running.state !== state) await sleep(10);
  };

  it("answers once it says so, and ends as it is told to", async () => {
    let ready = false;
    keep(() => shell(SERVER, { answers: () => Promise.resolve(ready) }));
    await until("starting");
    await sleep(100);
    assert.equal(running.state, "starting");
    ready = true;
    await until("ready");
    await running.stop();
    assert.equal(log(), "up one\ntold\n");
    assert.equal(running.active, false);
    assert.deepEqual(said, ["started as process N", "answers", "ended"]);
  });

  it("has no variable of this process but the path, and its own mark", async () => {
    process.env.TEST_SECRET_OF_A_SHELL = "secret";
    keep(() => shell("env", { once: true }));
    await until("ended");
    delete process.env.TEST_SECRET_OF_A_SHELL;
    const names = log()
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    const known = ["ATTIC_STACK_DAEMON_NAME", "ATTIC_STACK_DAEMON_FOLDER", "PATH", "TZ", "WORD"];
    // The shell adds these itself.
    assert.deepEqual(
      names.filter((name = "") => ![...known, "PWD", "SHLVL", "_", "OLDPWD"].includes(name)),
      [],
    );
    assert.match(log(), /^ATTIC_STACK_DAEMON_NAME=attic\/pod\/main$/m);
  });

  it("is started again where it ends, later each time, and says how it ended", async () => {
    keep(() => shell("echo once more; exit 3"));
    while (running.status().failures < 3) await sleep(10);
    const { state, reason } = running.status();
    assert.deepEqual([state, reason], ["failing", "it ended with code 3"]);
    assert.equal(log(), "once more\n".repeat(3));
  });

  it("is started again where it was killed", async () => {
    keep(() =>
      shell("[ -e $F ] && exec sleep 60; touch $F; kill -9 $$", { env: { F: join(folder, "flag") } }),
    );
    await until("ready");
    while (!said.includes("it ended with signal SIGKILL")) await sleep(10);
    await until("ready");
  });

  it("is another process where its plan is another, at once, and the same where it is the same", async () => {
    let word = "one";
    keep(() => shell(SERVER, { env: { WORD: word } }));
    await until("ready");
    changes.tell();
    await sleep(100);
    assert.equal(log(), "up one\n");
    word = "two";
    changes.tell();
    while (!log().includes("up two")) await sleep(10);
    assert.equal(log(), "up one\ntold\nup two\n");
    assert.equal(running.status().failures, 0);
  });

  it("goes on running where its plan cannot be made any more", async () => {
    let missing = false;
    keep(() => {
      if (missing) throw new NotYet("the Service is gone");
      return shell(SERVER);
    });
    await until("ready");
    missing = true;
    changes.tell();
    await sleep(100);
    assert.equal(running.state, "ready");
    assert.equal(log(), "up one\n");
  });

  it("waits for what its plan, its endpoints and the others ask, and says for what", async () => {
    let [secret, database, migrations] = [false, false, false];
    const endpoint = {
      address: { host: "localhost", port: 1 } as const,
      name: "the database",
      isReady: () => database,
    };
    keep(
      () => {
        if (!secret) throw new NotYet("Secret keys does not exist");
        return shell(SERVER, { after: [endpoint] });
      },
      () => (migrations ? undefined : "the migrations"),
    );
    const reason = async (expected: string) => {
      while (running.status().reason !== expected) await sleep(10);
      assert.equal(running.state, "waiting");
    };
    await reason("Secret keys does not exist");
    secret = true;
    changes.tell();
    await reason("it waits for the database");
    database = true;
    changes.tell();
    await reason("it waits for the migrations");
    migrations = true;
    changes.tell();
    await until("ready");
  });

  it("looks again only where something has changed, or now and then", async () => {
    let looks = 0;
    keep(() => {
      looks += 1;
      throw new NotYet("Secret keys does not exist");
    });
    await until("waiting");
    await sleep(1_000);
    // It looks once a second by itself; what told itself of its own news without end would look fifty times.
    assert.ok(looks < 20, String(looks));
  });

  it("fails with the reason where it can never run, where its command is missing, or its preparation fails", async () => {
    const faults: [() => Program, RegExp][] = [
      [() => assertFault("its key is wrong"), /^its key is wrong$/],
      [() => shell("", { command: "/nonexistent" }), /^it ended with an error: .*ENOENT/],
      [
        () => shell(SERVER, { prepare: (run) => run("/bin/sh", ["-c", "exit 7"]) }),
        /^\/bin\/sh ended with code 7$/,
      ],
    ];
    for (const [plan, reason] of faults) {
      keep(plan);
      await until("failing");
      assert.match(running.status().reason, reason);
      await running.stop();
    }
  });

  it("runs once to its end where it is a job, also after the daemon was started again", async () => {
    keep(() => shell("echo done", { once: true }));
    await until("ended");
    await running.stop();
    keep(() => shell("echo done", { once: true }));
    await until("ended");
    assert.equal(log(), "done\n");
  });

  it("writes its configuration for its own user alone before it starts", async () => {
    const file = join(folder, "config/server.toml");
    keep(() =>
      shell('stat -c %a "$F"; cat "$F"', { once: true, env: { F: file }, files: { [file]: "text\n" } }),
    );
    await until("ended");
    assert.equal(log(), "600\ntext\n");
  });

  it("prepares before it starts, with what is handed to it by standard input", async () => {
    keep(() =>
      shell("echo started", { once: true, prepare: (run) => run("/bin/cat", [], { input: "prepared\n" }) }),
    );
    await until("ended");
    assert.equal(log(), "prepared\nstarted\n");
  });

  it("is killed where it does not end when it is told to", async () => {
    keep(() => shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done"));
    await until("ready");
    while (!log().includes("deaf")) await sleep(10);
    await running.stop();
    assert.equal(running.active, false);
  });

  it("ends what prepares it, too, when it is not wanted any more", async () => {
    writeFileSync(join(folder, "flag"), "");
    keep(() => shell(SERVER, { prepare: (run) => run("/bin/sleep", ["600"]) }));
    await until("starting");
    await sleep(50);
    await running.stop();
    assert.equal(running.status().failures, 0);
  });
});

function assertFault(message: string): never {
  throw new Fault(message);
}
