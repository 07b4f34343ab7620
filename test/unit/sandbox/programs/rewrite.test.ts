import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hostPath,
  inUrl,
  placeOf,
  rewritePaths,
  withAddress,
  withParameter,
} from "../../../../sandbox/programs/rewrite.ts";
import type { Mount } from "../../../../sandbox/programs/volumes.ts";

const mounts: Mount[] = ["/etc/attic.d", "/var/lib", "/tmp"].map((path) => ({
  path,
  target: `/host${path}`,
  volume: { name: "", folder: "" },
}));

describe("a path of a container", () => {
  for (const [path, host] of [
    ["/etc/attic.d", "/host/etc/attic.d"],
    ["/etc/attic.d/server.toml", "/host/etc/attic.d/server.toml"],
    ["/etc/attic.data", "/root/etc/attic.data"],
    ["/etc", "/root/etc"],
    ["/tmp/../tmp/x", "/host/tmp/x"],
    ["/var/lib/..", "/root/var"],
  ] as const) {
    it(`${path} is ${host} on this machine`, () => {
      assert.equal(hostPath(path, mounts, "/root"), host);
    });
  }
});

describe("paths in an argument or a variable", () => {
  for (const [text, rewritten] of [
    ["/tmp", "/host/tmp"],
    ["/tmp/", "/host/tmp/"],
    ["hba_file=/etc/attic.d/pg_hba.conf", "hba_file=/host/etc/attic.d/pg_hba.conf"],
    ["/tmp:/var/lib,'/tmp/a b'", "/host/tmp:/host/var/lib,'/host/tmp/a b'"],
    [
      "postgres://u:p@h/db?sslrootcert=/tmp/ca&x=/var/lib",
      "postgres://u:p@h/db?sslrootcert=/host/tmp/ca&x=/host/var/lib",
    ],
    // None of these is the path of a mount.
    ["/tmpfs", "/tmpfs"],
    ["/etc/attic_d", "/etc/attic_d"],
    ["s3://tmp/x", "s3://tmp/x"],
    ["s3:///tmp", "s3:///tmp"],
    ["a/tmp", "a/tmp"],
    ["", ""],
  ] as const) {
    it(`of "${text}" are "${rewritten}"`, () => {
      assert.equal(rewritePaths(text, mounts), rewritten);
    });
  }

  it("can be written as they stand in a URL", () => {
    const strange = [{ ...mounts[2]!, target: "/my project/100%&?#/tmp" }];
    const url = rewritePaths("postgres://h/db?sslrootcert=/tmp/ca.crt&a=b", strange, inUrl);
    assert.equal(new URL(url).searchParams.get("sslrootcert"), "/my project/100%&?#/tmp/ca.crt");
    assert.equal(new URL(url).searchParams.get("a"), "b");
  });

  it("are all that changes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!mounts.some(({ path }) => text.includes(path)));
        assert.equal(rewritePaths(text, mounts), text);
      }),
    );
  });
});

describe("where a URL leads", () => {
  for (const [url, place] of [
    [
      "postgres://attic:pa%40ss@DB.example.com/attic",
      { scheme: "postgres", host: "db.example.com", port: 5432 },
    ],
    ["postgresql://db:6432", { scheme: "postgresql", host: "db", port: 6432 }],
    ["https://s3.example.com", { scheme: "https", host: "s3.example.com", port: 443 }],
    ["http://garage.attic.svc:3900/x?y=z", { scheme: "http", host: "garage.attic.svc", port: 3900 }],
    ["http://[::1]:8080/", { scheme: "http", host: "[::1]", port: 8080 }],
    ["/a/path", undefined],
    ["attic", undefined],
    ["", undefined],
  ] as const) {
    it(`is read from "${url}"`, () => {
      assert.deepEqual(placeOf(url), place);
    });
  }

  it("is all that another address changes of it, to the letter; TLS ends before this machine", () => {
    const here = { host: "localhost", port: 4711 } as const;
    assert.equal(
      withAddress("postgres://attic:p%2Fw@db.svc:5432/attic?sslmode=verify-full#x", here),
      "postgres://attic:p%2Fw@localhost:4711/attic?sslmode=verify-full#x",
    );
    assert.equal(withAddress("https://s3.example.com/a//b", here), "http://localhost:4711/a//b");
    assert.equal(withAddress("http://a:b@minio", here), "http://a:b@localhost:4711");
  });

  it("leads to the same user, password and rest for any that there may be", () => {
    const word = fc
      .string({ minLength: 1, unit: "binary" })
      .filter((text) => text.isWellFormed())
      .map(encodeURIComponent);
    fc.assert(
      fc.property(word, word, word, (user, password, database) => {
        const moved = withAddress(`postgres://${user}:${password}@db:1/${database}`, {
          host: "localhost",
          port: 2,
        });
        assert.equal(moved, `postgres://${user}:${password}@localhost:2/${database}`);
      }),
    );
  });

  it("may have another value of a parameter that it has, and gets none that it has not", () => {
    const url = "postgres://h/db?sslmode=verify-full&sslrootcert=/a/ca.crt&x=y";
    assert.equal(
      withParameter(url, "sslrootcert", "/b c/$&.crt"),
      "postgres://h/db?sslmode=verify-full&sslrootcert=/b%20c/%24%26.crt&x=y",
    );
    assert.equal(withParameter("postgres://h/db", "sslrootcert", "/b"), "postgres://h/db");
  });
});
