import { createHash } from "node:crypto";
import pulumi from "@pulumi/pulumi";
import { plain, SECRET } from "./values.ts";

export const PROJECT = "attic-stack";

/** A resource as the program registered it. */
export interface Registered {
  type: string;
  name: string;
  urn: string;
  /** What the program gave, with its secrets in clear. */
  inputs: Inputs;
  /** The same with its secrets still marked (see `plain`). */
  marked: unknown;
  /** URN of its parent; empty at the top. */
  parent: string;
  /** URNs of what has to be there before it; a component stands for its children here. */
  dependencies: string[];
  /** Whether the engine refuses to delete it. */
  protect: boolean;
}

export type Inputs = Record<string, unknown>;

export interface Deployment<T> {
  result: T;
  resources: Registered[];
  warnings: string[];
  /** Every value that the mocked providers or the configuration hold in confidence. */
  secretValues: string[];
}

/** What an account of Cloudflare offers to tokens, as far as the stack asks for it. */
const PERMISSION_GROUPS = [
  { id: "group-of-bucket-writers", name: "Workers R2 Storage Bucket Item Write" },
  { id: "group-of-analysts", name: "Account Analytics Read" },
];

/** The parts of a gRPC request that mocks leave out. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getProtect(): boolean;
}
interface Monitor {
  registerResource(request: Request, callback: unknown): Promise<void>;
}

interface Runtime {
  getMonitor(): Monitor;
  waitForRPCs(): Promise<void>;
}
const runtime = pulumi.runtime as unknown as Runtime;

export interface Options {
  stack?: string;
  /** Keys without the project's name; an object is JSON. */
  config?: Record<string, string>;
  /** Which of them are secret. */
  secretKeys?: readonly string[];
  /** Called for every resource, also where the program then fails. */
  onResource?: (resource: Registered) => void;
}

/**
 * Runs a program with mocked providers and waits until all of its resources are registered. What a provider
 * marks secret, by the SDK's list of additional secret outputs, is secret here as well.
 */
export async function deploy<T>(program: () => T, options: Options = {}): Promise<Deployment<T>> {
  const { stack = "test", config = {}, secretKeys = [], onResource } = options;
  const resources: Registered[] = [];
  const secretValues = secretKeys.flatMap((key) => config[key] ?? []);
  let request: Request | undefined;

  await pulumi.runtime.setMocks(
    {
      call: ({ token, inputs }) => ({
        ...(inputs as Record<string, unknown>),
        ...(token.endsWith(":getAccountApiTokenPermissionGroupsList") && { results: PERMISSION_GROUPS }),
      }),
      newResource: ({ type, name, inputs }) => {
        const from = request;
        request = undefined;
        if (from?.getType() !== type || from.getName() !== name) throw new Error(`no request for ${name}`);
        const hidden = from.getAdditionalsecretoutputsList();
        const state = {
          ...(inputs as Record<string, unknown>),
          ...outputs(type, name, plain(inputs) as Inputs),
        };
        for (const [key, value] of Object.entries(state)) {
          if (!hidden.includes(key) || typeof value !== "string") continue;
          secretValues.push(value);
          state[key] = { ...SECRET, value };
        }
        const registered: Registered = {
          type,
          name,
          urn: urnOf(stack, from),
          inputs: plain(inputs) as Inputs,
          marked: inputs,
          parent: from.getParent(),
          dependencies: from.getDependenciesList(),
          protect: from.getProtect(),
        };
        resources.push(registered);
        onResource?.(registered);
        return { id: `${name}-id`, state };
      },
    },
    PROJECT,
    stack,
  );
  const monitor = runtime.getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (from, callback) => {
    // The mock is called before `register` first waits, so this is its request.
    request = from;
    return register(from, callback);
  };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value])),
    secretKeys.map((key) => `${PROJECT}:${key}`),
  );

  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void warnings.push(text.replace("warning: [runtime] ", ""));
  try {
    const result = program();
    await runtime.waitForRPCs();
    return { result, resources, warnings, secretValues };
  } finally {
    // What a program that failed had begun before it did.
    await runtime.waitForRPCs();
    console.warn = warn;
  }
}

/** As the mocked monitor makes it. */
function urnOf(stack: string, from: Request): string {
  const parentType = from.getParent().split("::")[2]?.split("$").pop();
  const type = parentType === undefined ? from.getType() : `${parentType}$${from.getType()}`;
  return `urn:pulumi:${stack}::${PROJECT}::${type}::${from.getName()}`;
}

/** What the providers would answer beside the inputs: values that tell apart what they belong to. */
function outputs(type: string, name: string, inputs: Inputs): Record<string, unknown> {
  const bytes = createHash("sha512").update(name).digest();
  const pem = (kind: string) =>
    `-----BEGIN ${kind}-----\n${bytes.toString("base64")}\n-----END ${kind}-----\n`;
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: bytes.toString("hex").slice(0, Number(inputs.length)) };
    case "random:index/randomId:RandomId":
      return { hex: bytes.subarray(0, Number(inputs.byteLength)).toString("hex") };
    case "tls:index/privateKey:PrivateKey": {
      const kind = inputs.algorithm === "RSA" ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
      return { privateKeyPem: pem(kind), publicKeyPem: pem("PUBLIC KEY") };
    }
    case "tls:index/selfSignedCert:SelfSignedCert":
      return { certPem: pem("CERTIFICATE") };
    case "cloudflare:index/accountToken:AccountToken":
      return { value: `token-${bytes.toString("hex").slice(0, 40)}` };
    case "attic:index:Cache":
      return { publicKey: `${String(inputs.name)}:${bytes.subarray(0, 32).toString("base64")}` };
    case "attic:index:AccessToken":
      return { value: `token.${bytes.toString("hex")}`, expiresAt: "2027-01-01T00:00:00.000Z" };
    default: {
      if (!type.startsWith("kubernetes:")) return {};
      const metadata = inputs.metadata as { name?: string };
      return { metadata: { ...metadata, name: metadata.name ?? `${name}-auto` } };
    }
  }
}

/** The value of an Output, and whether it is secret. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
  const value = await new Promise<T>((resolve) => {
    output.apply((known) => {
      resolve(known);
      return undefined;
    });
  });
  return { value, secret: await pulumi.isSecret(output) };
}
