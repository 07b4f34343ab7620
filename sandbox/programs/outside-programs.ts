import { createHash, generateKeyPairSync } from "node:crypto";
import { chown, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { versitygw } from "./kinds/object-store.ts";
import { endLeftovers, initialize, literal, quoted, runSql, server } from "./kinds/postgres.ts";
import { Fault } from "./objects.ts";
import type { Program, StoreRequest, Tools } from "./program.ts";
import { asText } from "../../provider/protocol/values.ts";
import { makeFolder, type RunAs } from "./user.ts";

/** A database of a server outside of the cluster, as a stack's URL has it. */
export interface DatabaseRequest {
  user: string;
  password: string;
  database: string;
}

/**
 * The parts of a PostgreSQL URL; user and database are what libpq would take where they are left out.
 *
 * @throws Fault where it is no URL.
 */
export function databaseRequest(url: string): DatabaseRequest {
  try {
    const { username, password, pathname } = new URL(url);
    const user = decodeURIComponent(username) || "postgres";
    return {
      user,
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)) || user,
    };
  } catch {
    throw new Fault("the address of its database is no URL");
  }
}

/**
 * A PostgreSQL server that the stack does not make, with the users and databases that its URLs name. As the servers that
 * one rents, it takes TLS, and its users are no superusers.
 */
export function outsideDatabase(folder: string, port: number, requests: readonly DatabaseRequest[]): Program {
  const data = join(folder, "data");
  const [certificate, key] = [databaseCertificate(folder), join(folder, "tls.key")];
  const tls = ["ssl=on", `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`].flatMap((setting) => [
    "-c",
    setting,
  ]);
  const authentication = "scram-sha-256";
  const cluster = {
    data,
    superuser: "postgres",
    password: "",
    database: "postgres",
    authentication,
    initdbArgs: [],
  };
  const wanted = createHash("sha256").update(JSON.stringify(requests)).digest("hex");
  return {
    ...server(cluster, port, tls),
    // By it a server whose users have changed is started again.
    env: { LC_ALL: "C", ATTIC_STACK_USERS: wanted },
    prepare: async (run) => {
      await endLeftovers(data);
      await rm(join(data, "postmaster.pid"), { force: true });
      await initialize(cluster, run);
      const made = join(folder, "users.sha256");
      if ((await readIfThere(made)) === wanted) return;
      await runSql(data, requests.flatMap(statementsFor), run);
      await writeFileAtomically(made, wanted);
    },
  };
}

/** Where the certificate of an outside server is: for localhost, signed by itself. */
export function databaseCertificate(folder: string): string {
  return join(folder, "tls.crt");
}

function statementsFor({ user, password, database }: DatabaseRequest): string[] {
  const role = quoted(user);
  return [
    `DO $$BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object THEN NULL; END$$`,
    `ALTER ROLE ${role} LOGIN PASSWORD ${literal(password)}`,
    // There is no "if not exists"; where it is there, the log says so.
    `CREATE DATABASE ${quoted(database)} OWNER ${role}`,
  ];
}

/** Makes the folder of an outside database server, with a key and a certificate. */
export async function layOutDatabase(folder: string, { owner }: RunAs): Promise<void> {
  await makeFolder(folder, owner);
  const [certificate, key] = [databaseCertificate(folder), join(folder, "tls.key")];
  if ((await readIfThere(certificate)) === undefined) {
    const { selfSigned } = await import("../plugins/tls/certificates.ts");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { computed } = await selfSigned(
      {
        subject: { commonName: "localhost" },
        dnsNames: ["localhost"],
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: 10 * 365 * 24,
      },
      privateKey,
    );
    await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    await writeFileAtomically(certificate, asText(computed.certPem));
  }
  if (owner) for (const file of [certificate, key]) await chown(file, owner.uid, owner.gid);
}

/** The address of AWS' own S3 in a region, which a stack without an endpoint means. */
export function awsEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com`;
}

/** An S3 server that the stack does not make, with the buckets and the keys that it is asked with. */
export function outsideStore(
  folder: string,
  port: number,
  requests: readonly StoreRequest[],
  tools: Tools,
): Program {
  // There is one pair of keys to a server. While pods are replaced there may be two: the newest one's are good.
  const { region = "us-east-1", accessKeyId = "", secretAccessKey = "" } = requests.at(-1) ?? {};
  const setup = { objects: join(folder, "objects"), metadata: join(folder, "metadata") };
  const buckets = [...new Set(requests.map(({ bucket }) => bucket))];
  return versitygw({ ...setup, region, accessKeyId, secretAccessKey, buckets }, { port, tools });
}
