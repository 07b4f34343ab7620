import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Front } from "../../../../sandbox/programs/front.ts";
import { Ports } from "../../../../sandbox/programs/ports.ts";

/** A server that answers every connection with a word and what it was sent. */
async function listen(word: string, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).on("data", (data) => socket.end(`${word} ${data.toString()}`));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** What comes back; "" where the connection is closed. */
async function ask(port: number, text = "hello", last = false): Promise<string> {
  return await new Promise((resolve) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: last });
    socket
      .on("connect", () => (last ? socket.end(text) : socket.write(text)))
      .on("data", (data) => (answer += data.toString()))
      .on("end", () => socket.end())
      .on("error", () => undefined)
      .on("close", () => {
        resolve(answer);
      });
  });
}

describe("ports", () => {
  let folder: string;
  let ports: Ports;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "attic-stack-ports-"));
    ports = await Ports.in(join(folder, "ports.json"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  describe("of programs", () => {
    it("are the same ones again, also for another daemon", async () => {
      const port = await ports.provide("attic/a/main");
      assert.equal(await ports.provide("attic/a/main"), port);
      const other = await Ports.in(join(folder, "ports.json"));
      assert.equal(await other.provide("attic/a/main"), port);
      assert.equal(other.noted("attic/a/main"), port);
      assert.equal(other.noted("attic/b/main"), undefined);
    });

    it("are others where somebody has them", async () => {
      const port = await ports.provide("attic/a/main");
      const { server } = await listen("taken", port);
      const other = await ports.provide("attic/a/main");
      server.close();
      assert.notEqual(other, port);
      assert.equal(ports.noted("attic/a/main"), other);
    });

    it("are each one's own, however many ask at once", async () => {
      const names = Array.from({ length: 20 }, (_, index) => `attic/${index}/main`);
      const given = await Promise.all(names.map((name) => ports.provide(name)));
      assert.equal(new Set(given).size, 20);
      const kept = await Ports.in(join(folder, "ports.json"));
      assert.deepEqual(
        names.map((name) => kept.noted(name)),
        given,
      );
    });

    it("are forgotten with what never comes again", async () => {
      await ports.provide("attic/a/main");
      await ports.forget("attic/a/main");
      assert.equal((await Ports.in(join(folder, "ports.json"))).noted("attic/a/main"), undefined);
    });
  });

  describe("of several servers together", () => {
    it("leads to each in turn, and to the others where one is gone", async () => {
      const servers = [await listen("one"), await listen("two")];
      const front = await Front.open("front", ports, () => servers.map(({ port }) => port));
      const port = ports.noted("front") ?? 0;
      const answers = [await ask(port), await ask(port), await ask(port), await ask(port)];
      assert.deepEqual(answers.sort(), ["one hello", "one hello", "two hello", "two hello"]);
      servers[0]?.server.close();
      assert.deepEqual([await ask(port), await ask(port)], ["two hello", "two hello"]);
      servers[1]?.server.close();
      assert.equal(await ask(port), "");
      front.close();
    });

    it("closes a connection where no server answers, and every one when it is closed itself", async () => {
      const silent = createServer();
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const targets: number[] = [];
      const front = await Front.open("front", ports, () => targets);
      const port = ports.noted("front") ?? 0;
      assert.equal(await ask(port), "");
      targets.push((silent.address() as AddressInfo).port);
      const open = ask(port);
      await new Promise((resolve) => silent.once("connection", resolve));
      front.close();
      assert.equal(await open, "");
      silent.close();
    });

    it("carries much in both ways", async () => {
      const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
      const front = await Front.open("front", ports, () => [(echo.address() as AddressInfo).port]);
      const text = "0123456789".repeat(500_000);
      const back = await ask(ports.noted("front") ?? 0, text, true);
      assert.equal(back === text, true);
      front.close();
      echo.close();
    });
  });
});
