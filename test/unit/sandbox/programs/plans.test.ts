import assert from "node:assert/strict";
import { join } from "node:path";
import { parse, type TomlTable } from "smol-toml";
import type { PodContainer } from "../../../../sandbox/programs/container.ts";
import { atticMode } from "../../../../sandbox/programs/kinds/attic.ts";
import { kindOf } from "../../../../sandbox/programs/kinds/index.ts";
import { Fault, NotYet } from "../../../../sandbox/programs/objects.ts";
import type { Container } from "../../../../sandbox/programs/objects.ts";
import type { Endpoint, Program, StoreRequest, Surroundings } from "../../../../sandbox/programs/program.ts";
import type { Mount, Volume } from "../../../../sandbox/programs/volumes.ts";

const FOLDER = "/sandbox/programs/attic/pod/main";

/** What a plan asked for, and what it is given. */
class Around implements Surroundings {
  port = 4000;
  front?: number;
  tools = { versitygw: "/bin/versitygw", atticd: ["/bin/node", "/stand-in.ts"] };
  asked: unknown[] = [];
  certificate?: string;

  constructor(front?: number, certificate?: string) {
    if (front !== undefined) this.front = front;
    if (certificate !== undefined) this.certificate = certificate;
  }

  database = (url: string): Endpoint => {
    this.asked.push(url);
    const { certificate } = this;
    const address = { host: "127.0.0.1", port: 4001 } as const;
    return {
      address,
      name: "the database",
      isReady: () => true,
      ...(certificate !== undefined && { certificate }),
    };
  };

  store = (request: StoreRequest): Endpoint => {
    this.asked.push(request);
    return { address: { host: "127.0.0.1", port: 4002 }, name: "the store", isReady: () => true };
  };

  server = (url: string): Endpoint => {
    this.asked.push(url);
    return { address: { host: "127.0.0.1", port: 4003 }, name: "the server", isReady: () => true };
  };

  cloudflare = () => ({ api: "http://127.0.0.1:4004/client/v4", s3: "http://127.0.0.1:4005" });
}

/** Without the prototypes that a parser gives its objects, or does not. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

/** A container with files that are mounted, by their paths. */
function container(
  over: Partial<Container>,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): PodContainer {
  const volumes: Volume[] = [];
  const mounts: Mount[] = [];
  for (const [path, content] of Object.entries(files)) {
    const folder = `/sandbox/volumes/${volumes.length}`;
    const volume = {
      name: "",
      folder,
      files: [{ path: "file", content: Buffer.from(content), mode: 0o644 }],
    };
    volumes.push(volume);
    mounts.push({ path, target: join(folder, "file"), volume });
  }
  for (const { mountPath } of over.volumeMounts ?? []) {
    const volume = { name: "", folder: `/sandbox/volumes${mountPath}` };
    volumes.push(volume);
    mounts.push({ path: mountPath, target: volume.folder, volume });
  }
  const { command = [], args = [] } = over;
  return {
    pod: { metadata: { name: "pod", namespace: "attic" } },
    container: { name: "main", ...over },
    env,
    command,
    args,
    volumes,
    mounts,
    folder: FOLDER,
  };
}

function plan(it: PodContainer, around: Surroundings = new Around()): Program {
  const kind = kindOf(it.container) ?? assert.fail("nothing plays it");
  return kind.plan(it, around);
}

describe("the process of Attic's container", () => {
  const TOML = [
    'listen = "[::]:8080"',
    'allowed-hosts = ["cache.example.com"]',
    'api-endpoint = "https://cache.example.com/"',
    "[database]",
    "[storage]",
    'type = "s3"',
    'bucket = "attic"',
    'region = "garage"',
    'endpoint = "https://s3.example.com"',
    "[chunking]",
    "nar-size-threshold = 65536",
    "",
  ].join("\n");
  const KEYS = { AWS_ACCESS_KEY_ID: "GK1", AWS_SECRET_ACCESS_KEY: "secret" };
  const URL_ =
    "postgres://attic:p%2Fw@attic-postgres.attic.svc:5432/attic?sslmode=verify-full&sslrootcert=/etc/ca/ca.crt";
  const server = (
    env: Record<string, string> = {},
    args = ["-f", "/etc/attic/server.toml", "--mode", "api-server"],
  ) =>
    container(
      {
        image: "attic",
        args,
        volumeMounts: [
          { name: "ca", mountPath: "/etc/ca" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
      { ATTIC_SERVER_DATABASE_URL: URL_, HOME: "/tmp", RUST_LOG: "info", ...KEYS, ...env },
      { "/etc/attic/server.toml": TOML },
    );

  it("has the command line of the pod, its own copy of server.toml, and an address of this machine", () => {
    const { command, args, port, once, refusesRoot } = plan(server());
    assert.equal(command, "/bin/node");
    const file = `${FOLDER}/server.toml`;
    assert.deepEqual(args, [
      "/stand-in.ts",
      "-f",
      file,
      "--mode",
      "api-server",
      "--listen",
      "127.0.0.1:4000",
    ]);
    assert.deepEqual([port, once, refusesRoot], [4000, false, false]);
  });

  it("has the store's address and the names of this machine in server.toml, and nothing else is changed", () => {
    const around = new Around(4999);
    const { files } = plan(server(), around);
    const [text] = Object.values(files ?? {});
    const hosts = ["127.0.0.1:4000", "localhost:4000", "127.0.0.1:4999", "localhost:4999"];
    const before = parse(TOML) as { storage: TomlTable };
    assert.deepEqual(plain(parse(text ?? "")), {
      ...plain(before),
      "allowed-hosts": ["cache.example.com", ...hosts],
      storage: { ...before.storage, endpoint: "http://127.0.0.1:4002" },
    });
    assert.deepEqual(around.asked[0], {
      endpoint: "https://s3.example.com",
      bucket: "attic",
      region: "garage",
      accessKeyId: "GK1",
      secretAccessKey: "secret",
    });
  });

  it("has the database's address by the name that certificates are for, and the folders of mounted paths", () => {
    const { env } = plan(server());
    assert.deepEqual(env, {
      ATTIC_SERVER_DATABASE_URL:
        "postgres://attic:p%2Fw@localhost:4001/attic?sslmode=verify-full&sslrootcert=/sandbox/volumes/etc/ca/ca.crt",
      HOME: "/sandbox/volumes/tmp",
      RUST_LOG: "info",
      ...KEYS,
    });
  });

  it("checks a played outside database by that one's own certificate", () => {
    const { env } = plan(server(), new Around(undefined, "/volumes/out side/tls.crt"));
    const { searchParams } = new URL(env.ATTIC_SERVER_DATABASE_URL ?? "");
    assert.deepEqual(
      [...searchParams],
      [
        ["sslmode", "verify-full"],
        ["sslrootcert", "/volumes/out side/tls.crt"],
      ],
    );
  });

  it("waits for the database and the store", () => {
    assert.deepEqual(
      plan(server()).after.map(({ name }) => name),
      ["the store", "the database"],
    );
  });

  it("asks for AWS' own store where no endpoint is set, and gets one of this machine", () => {
    const toml =
      '[storage]\ntype = "s3"\nbucket = "b"\nregion = "eu-central-1"\n[storage.credentials]\naccess_key_id = "A"\nsecret_access_key = "S"\n';
    const around = new Around();
    const args = ["-f", "/s.toml", "--mode", "garbage-collector"];
    const { files } = plan(container({ image: "attic", args }, KEYS, { "/s.toml": toml }), around);
    assert.deepEqual(around.asked, [
      { bucket: "b", region: "eu-central-1", accessKeyId: "A", secretAccessKey: "S" },
    ]);
    assert.match(Object.values(files ?? {})[0] ?? "", /^endpoint = "http:\/\/127\.0\.0\.1:4002"$/m);
  });

  it("takes its configuration from the variable where it has no file, and gives the migrations no port", () => {
    const toml = '[database]\nurl = "postgres://a:b@db/x"\n[storage]\ntype = "local"\npath = "/tmp/x"\n';
    const env = { ATTIC_SERVER_CONFIG_BASE64: Buffer.from(toml).toString("base64") };
    const args = ["--mode", "db-migrations"];
    const volumeMounts = [{ name: "tmp", mountPath: "/tmp" }];
    const program = plan(container({ image: "attic", args, volumeMounts }, env));
    assert.deepEqual(program.args, ["/stand-in.ts", "--mode", "db-migrations"]);
    assert.deepEqual([program.port, program.once, program.files], [undefined, true, {}]);
    assert.equal(
      Buffer.from(program.env.ATTIC_SERVER_CONFIG_BASE64 ?? "", "base64").toString(),
      '[database]\nurl = "postgres://a:b@localhost:4001/x"\n\n[storage]\ntype = "local"\npath = "/sandbox/volumes/tmp/x"\n',
    );
  });

  it("is the real server where that is given, and an address in the arguments gives way to its own", () => {
    const around = new Around();
    around.tools.atticd = ["/opt/atticd"];
    const args = ["--listen", "[::]:8080", "--config=/etc/attic/server.toml", "--mode=api-server"];
    const program = plan(server({}, args), around);
    assert.equal(program.command, "/opt/atticd");
    const file = `${FOLDER}/server.toml`;
    assert.deepEqual(program.args, ["-f", file, "--mode=api-server", "--listen", "127.0.0.1:4000"]);
  });

  it("lets every name through where all are let through, and leaves it to Attic to refuse what is no TOML", () => {
    for (const [toml, text] of [
      ["allowed-hosts = []\n", "allowed-hosts = []\n"],
      ["this is = = no TOML", "this is = = no TOML"],
    ] as const) {
      const args = ["-f", "/s.toml", "--mode", "api-server"];
      const { files } = plan(container({ image: "attic", args }, {}, { "/s.toml": toml }));
      assert.deepEqual(Object.values(files ?? {}), [text]);
    }
  });

  it("is refused where nothing is mounted as its configuration, and waits for what its addresses wait for", () => {
    const args = ["-f", "/etc/none.toml", "--mode", "api-server"];
    const none = container({ image: "attic", args });
    const message = "no Secret and no ConfigMap is mounted as the file /etc/none.toml";
    assert.throws(() => plan(none), new Fault(message));
    const around = new Around();
    around.store = () => {
      throw new NotYet("there is no Service");
    };
    assert.throws(() => plan(server(), around), new NotYet("there is no Service"));
  });

  it("serves at the port of its container, where it serves", () => {
    const port = (mode: string, ports?: Container["ports"]) => {
      const given = { name: "main", image: "attic", args: ["--mode", mode], ...(ports && { ports }) };
      assert.equal(atticMode(given), mode);
      return kindOf(given)?.containerPort(given);
    };
    assert.equal(port("api-server"), 8080);
    assert.equal(port("api-server", [{ containerPort: 9090 }]), 9090);
    assert.equal(port("garbage-collector"), undefined);
    assert.equal(port("db-migrations"), undefined);
  });
});

describe("the process of Garage's container", () => {
  const CONFIG =
    'metadata_dir = "/var/lib/garage/meta"\ndata_dir = "/var/lib/garage/data"\n[s3_api]\ns3_region = "home"\n';
  const KEYS = {
    GARAGE_DEFAULT_ACCESS_KEY: `GK${"0".repeat(24)}`,
    GARAGE_DEFAULT_SECRET_KEY: "1".repeat(64),
    GARAGE_DEFAULT_BUCKET: "attic",
    GARAGE_RPC_SECRET: "2".repeat(64),
  };
  const garage = (env: Record<string, string> = {}, config = CONFIG) =>
    container(
      {
        image: "dxflrs/garage:v2.4.1",
        command: ["/garage"],
        args: ["server", "--single-node", "--default-bucket"],
        volumeMounts: ["data", "meta"].map((name) => ({ name, mountPath: `/var/lib/garage/${name}` })),
        ports: [
          { name: "admin", containerPort: 3903 },
          { name: "s3", containerPort: 3900 },
        ],
      },
      { ...KEYS, ...env },
      { "/etc/garage.toml": config },
    );

  it("is an S3 server with its keys, region, bucket and volumes, and no secret among its arguments", () => {
    const { command, args, env, folders, port } = plan(garage());
    const [data, meta] = [
      "/sandbox/volumes/var/lib/garage/data/objects",
      "/sandbox/volumes/var/lib/garage/meta/objects",
    ];
    assert.equal(command, "/bin/versitygw");
    assert.deepEqual(args, [
      ...["--port", "127.0.0.1:4000", "--region", "home", "--quiet"],
      ...["posix", "--sidecar", meta, data],
    ]);
    assert.equal(env.ROOT_ACCESS_KEY_ID, KEYS.GARAGE_DEFAULT_ACCESS_KEY);
    assert.equal(env.ROOT_SECRET_ACCESS_KEY, KEYS.GARAGE_DEFAULT_SECRET_KEY);
    assert.deepEqual(folders, [data, meta, `${data}/attic`]);
    assert.equal(port, 4000);
    const { container: given } = garage();
    assert.equal(kindOf(given)?.containerPort(given), 3900);
  });

  it("is refused for what Garage would refuse, without a value", () => {
    for (const [variable, value] of [
      ["GARAGE_DEFAULT_ACCESS_KEY", "AKIAEXAMPLE"],
      ["GARAGE_DEFAULT_SECRET_KEY", "short"],
      ["GARAGE_RPC_SECRET", "0".repeat(63)],
      ["GARAGE_DEFAULT_BUCKET", "Not_A_Bucket"],
    ] as const) {
      assert.throws(
        () => plan(garage({ [variable]: value })),
        (error: Error) =>
          error instanceof Fault &&
          error.message.startsWith(`${variable} is not `) &&
          !error.message.includes(value),
      );
    }
    assert.throws(
      () => plan(garage({}, "= no TOML")),
      new Fault("garage.toml is not TOML, so Garage would not start"),
    );
    assert.throws(() => plan(garage({ GARAGE_CONFIG_FILE: "/other.toml" })), Fault);
  });
});

describe("the process of MinIO's containers", () => {
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  const minio = (env: Record<string, string>, args = ["server", "/data", "--address", ":9000"]) =>
    container({ image: "pgsty/silo", args, volumeMounts }, env);
  const KEYS = { MINIO_ROOT_USER: "root", MINIO_ROOT_PASSWORD: "password" };

  it("is an S3 server with root's keys over its folder, in the region that MinIO has by itself", () => {
    const { args, env, folders } = plan(minio(KEYS));
    assert.deepEqual(args.slice(2, 5), ["--region", "us-east-1", "--quiet"]);
    assert.deepEqual(folders, ["/sandbox/volumes/data/objects", "/sandbox/volumes/data/metadata"]);
    assert.equal(env.ROOT_SECRET_ACCESS_KEY, "password");
    assert.equal(plan(minio({ ...KEYS, MINIO_SITE_REGION: "home" })).args[3], "home");
  });

  it("is refused for what MinIO would refuse", () => {
    assert.throws(() => plan(minio({ ...KEYS, MINIO_ROOT_PASSWORD: "short" })), Fault);
    assert.throws(() => plan(minio({ MINIO_ROOT_PASSWORD: "password" })), Fault);
    assert.throws(() => plan(minio(KEYS, ["server", "http://node{1...4}/data"])), Fault);
  });

  const bucket = (env: Record<string, string>) =>
    container({ image: "pgsty/silo", command: ["mcli", "mb", "--ignore-existing", "store/attic"] }, env);

  it("makes the bucket with the address that the client has, after the store, once", () => {
    const around = new Around();
    const { args, env, once, after } = plan(
      bucket({ MC_HOST_store: "http://root:p%2Fw@minio.attic.svc:9000" }),
      around,
    );
    assert.equal(args.at(-1), "attic");
    assert.deepEqual(env, { STORE: "http://root:p%2Fw@127.0.0.1:4002" });
    assert.deepEqual([once, after.length], [true, 1]);
    assert.deepEqual(around.asked, [
      {
        endpoint: "http://root:p%2Fw@minio.attic.svc:9000",
        bucket: "attic",
        region: "us-east-1",
        accessKeyId: "root",
        secretAccessKey: "p/w",
      },
    ]);
  });

  it("is refused where the client has no address of that alias", () => {
    assert.throws(() => plan(bucket({ MC_HOST_other: "http://minio" })), Fault);
    assert.throws(() => plan(bucket({ MC_HOST_store: "minio" })), Fault);
  });
});

describe("the process of PostgreSQL's container", () => {
  const postgres = (env: Record<string, string>, over: Partial<Container> = {}, files = {}) =>
    container(
      { image: "postgres:18.4", volumeMounts: [{ name: "data", mountPath: "/var/lib/postgresql" }], ...over },
      env,
      files,
    );

  it("runs with the container's settings and mounted files, on this machine alone, and stops fast", () => {
    const args = ["-c", "ssl=on", "-c", "ssl_key_file=/etc/tls/tls.key", "-c", "listen_addresses=*"];
    const program = plan(postgres({ POSTGRES_PASSWORD: "pw" }, { args }, { "/etc/tls/tls.key": "key" }));
    assert.match(program.command, /\/native\/bin\/postgres$/);
    assert.deepEqual(program.args, [
      ...["-c", "ssl=on", "-c", "ssl_key_file=/sandbox/volumes/0/file", "-c", "listen_addresses=*"],
      ...["-D", "/sandbox/volumes/var/lib/postgresql/18/docker"],
      ...["-c", "port=4000", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    ]);
    assert.deepEqual([program.refusesRoot, program.stopSignal, program.port], [true, "SIGINT", 4000]);
  });

  for (const [what, env, image, data] of [
    ["of version 18", {}, "postgres:18.4", "/sandbox/volumes/var/lib/postgresql/18/docker"],
    ["of version 17", {}, "postgres:17", "/sandbox/volumes/var/lib/postgresql/data"],
    ["without a version", {}, "postgres@sha256:00", "/sandbox/volumes/var/lib/postgresql/18/docker"],
    [
      "told otherwise",
      { PGDATA: "/var/lib/postgresql/x" },
      "postgres",
      "/sandbox/volumes/var/lib/postgresql/x",
    ],
    ["told a path that is no volume's", { PGDATA: "/data" }, "postgres", `${FOLDER}/root/data`],
  ] as const) {
    it(`has its data where the image ${what} has it`, () => {
      const { args } = plan(postgres({ POSTGRES_PASSWORD: "pw", ...env }, { image }));
      assert.equal(args[args.indexOf("-D") + 1], data);
    });
  }

  it("takes the image's name for its server away, and reads the password from a file", () => {
    const files = { "/run/password": "from a file\n" };
    const program = plan(
      postgres({ POSTGRES_PASSWORD_FILE: "/run/password" }, { args: ["postgres", "-c", "a=b"] }, files),
    );
    assert.deepEqual(program.args.slice(0, 2), ["-c", "a=b"]);
  });

  it("is refused without a password, as the image does, unless nobody is asked for one", () => {
    const message = "POSTGRES_PASSWORD is empty, so the image would not make its database";
    assert.throws(() => plan(postgres({})), new Fault(message));
    assert.throws(() => plan(postgres({ POSTGRES_PASSWORD_FILE: "/run/none" })), Fault);
    assert.doesNotThrow(() => plan(postgres({ POSTGRES_HOST_AUTH_METHOD: "trust" })));
  });
});

describe("the process of the mirror's container", () => {
  const MIRROR = {
    image: "docker.io/library/node:24-slim",
    command: ["node", "/etc/attic-mirror/mirror.cjs"],
    volumeMounts: [
      { name: "program", mountPath: "/etc/attic-mirror" },
      { name: "ca", mountPath: "/etc/ca" },
    ],
  };
  const DATABASE =
    "postgres://attic_mirror:pw@attic-postgres.attic.svc:5432/attic?sslrootcert=/etc/ca/ca.crt";
  const ENV = {
    DATABASE_URL: DATABASE,
    ATTIC_URL: "http://attic.attic.svc:80/",
    S3_ENDPOINT: "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com",
    S3_BUCKET: "edge",
    MIRROR_CONFIG: "/etc/attic-mirror/mirror.json",
  };

  it("is this Node with the ConfigMap's program, which ends by itself", () => {
    const { command, args, once } = plan(container(MIRROR, ENV));
    assert.deepEqual(
      [command, args, once],
      [process.execPath, ["/sandbox/volumes/etc/attic-mirror/mirror.cjs"], true],
    );
    const roles = plan(container({ ...MIRROR, command: [...MIRROR.command, "roles"] }, ENV));
    assert.deepEqual(roles.args, ["/sandbox/volumes/etc/attic-mirror/mirror.cjs", "roles"]);
  });

  it("finds the database, the server and R2 on this machine, and waits for the first two", () => {
    const around = new Around();
    const { env, after } = plan(container(MIRROR, ENV), around);
    assert.deepEqual(around.asked, [DATABASE, "http://attic.attic.svc:80/"]);
    assert.deepEqual(env, {
      DATABASE_URL:
        "postgres://attic_mirror:pw@localhost:4001/attic?sslrootcert=/sandbox/volumes/etc/ca/ca.crt",
      ATTIC_URL: "http://127.0.0.1:4003/",
      S3_ENDPOINT: "http://127.0.0.1:4005",
      S3_BUCKET: "edge",
      MIRROR_CONFIG: "/sandbox/volumes/etc/attic-mirror/mirror.json",
    });
    assert.deepEqual(
      after.map(({ name }) => name),
      ["the database", "the server"],
    );
  });

  it("asks Cloudflare of the sandbox for what was read, where it has a token for that", () => {
    const { env } = plan(container(MIRROR, { ...ENV, ANALYTICS_TOKEN: "token" }));
    assert.equal(env.ANALYTICS_URL, "http://127.0.0.1:4004/client/v4");
  });

  it("writes into any other store as Attic would", () => {
    const around = new Around();
    const keys = { AWS_ACCESS_KEY_ID: "GK1", AWS_SECRET_ACCESS_KEY: "secret", S3_REGION: "garage" };
    const { env } = plan(
      container(MIRROR, { ...ENV, ...keys, S3_ENDPOINT: "https://s3.example.com" }),
      around,
    );
    assert.equal(env.S3_ENDPOINT, "http://127.0.0.1:4002");
    assert.deepEqual(around.asked.at(-1), {
      endpoint: "https://s3.example.com",
      bucket: "edge",
      region: "garage",
      accessKeyId: "GK1",
      secretAccessKey: "secret",
    });
  });
});
