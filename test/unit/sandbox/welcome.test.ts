import assert from "node:assert/strict";
import { textPath } from "../../../sandbox/welcome/store-path.ts";
import { cachesText } from "../../../sandbox/welcome/report.ts";

describe("a path that a start pushes", () => {
  it("has the name that Nix gives a text", () => {
    // nix-instantiate --eval -E 'builtins.toFile "welcome" "hello\n"'
    assert.equal(
      textPath("/nix/store", "welcome", "hello\n").path,
      "/nix/store/7fmfwrwa8p0a1n9s97lql8qs88v8y2ig-welcome",
    );
  });
});

describe("the caches in a start's report", () => {
  const cache = {
    publicKey: "main-1:abc=",
    substituter: "http://127.0.0.1:1/main",
    path: "/nix/store/x-welcome",
  };
  it("have a command that pulls, with a netrc where one is needed", () => {
    const caches = [
      { name: "main", isPublic: true, ...cache },
      { name: "private", isPublic: false, ...cache },
    ];
    const lines = cachesText(caches, "$PWD/.sandbox/lab/netrc", 0).filter((line) =>
      line.includes("nix-store"),
    );
    const command =
      "  nix-store --realise /nix/store/x-welcome --option substituters http://127.0.0.1:1/main --option trusted-public-keys main-1:abc=";
    assert.deepEqual(lines, [command, `${command} --option netrc-file $PWD/.sandbox/lab/netrc`]);
  });
  it("are left out where there are none, and counted where there are many", () => {
    assert.deepEqual(cachesText([], "netrc", 0), []);
    assert.ok(
      cachesText([{ name: "main", isPublic: true, ...cache }], "netrc", 190).includes(
        "… and 190 more: see the output `caches`",
      ),
    );
  });
});
