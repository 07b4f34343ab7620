import type { Container } from "./objects.ts";
import type { PodContainer } from "./container.ts";
import type { EdgeAddresses } from "../edge/index.ts";
import type { Address } from "./rewrite.ts";

/** What is played: a server or a job of the stack. */
export type ProgramKind = "attic" | "postgres" | "s3" | "bucket" | "mirror";

/** A process of this machine, made from what the stack deployed. */
export interface Program {
  command: string;
  args: readonly string[];
  /** All of its environment but PATH and the daemon's marks. */
  env: Readonly<Record<string, string>>;
  /** Files to be written before it starts: configuration with the addresses and paths of this machine. */
  files?: Readonly<Record<string, string>>;
  /** Folders to be made before it starts. */
  folders?: readonly string[];
  /** The port of 127.0.0.1 that it listens on, where it answers anybody. */
  port?: number;
  /** What has to answer before it starts. */
  after: readonly Endpoint[];
  /** Whether it ends by itself and is not started again then. */
  once: boolean;
  /** Whether it refuses to run as root. */
  refusesRoot: boolean;
  /** How it is told to end; SIGTERM unless told. */
  stopSignal?: NodeJS.Signals;
  /** What has to be done each time before it starts, such as making a database. */
  prepare?: (run: Run) => Promise<void>;
  /** Whether it answers. Without it, it is as good as answering once it runs. */
  answers?: () => Promise<boolean>;
}

/** Runs a command as the program itself will be run: same user, log and environment. @throws Fault where it fails. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<void>;

export interface RunOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
}

/** Something on this machine that answers at an address. */
export interface Endpoint {
  address: Address;
  /** What it is, for messages. */
  name: string;
  isReady: () => boolean;
  /** File with the certificate by which a played outside database shows itself. */
  certificate?: string;
}

/** What a program has to know of the sandbox around it. */
export interface Surroundings {
  /** The port for it. */
  port: number;
  /** The port for all pods of its workload together, where there is one. */
  front?: number;
  tools: Tools;
  /**
   * Where something is on this machine that a pod reaches by that name. Where the name belongs to nothing in the
   * cluster, the sandbox plays what is outside.
   *
   * @throws NotYet where something in the cluster has that name and is not there yet.
   */
  database: (url: string) => Endpoint;
  store: (store: StoreRequest) => Endpoint;
  /** The server of Attic that a pod reaches by that address. @throws NotYet where none answers there. */
  server: (url: string) => Endpoint;
  /** The sandbox's Cloudflare. @throws NotYet where nothing of it was used yet. */
  cloudflare: () => Pick<EdgeAddresses, "api" | "s3">;
}

/** The bucket that a pod wants. */
export interface StoreRequest {
  /** As configured; undefined is AWS. */
  endpoint?: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** The programs that play what the images hold. */
export interface Tools {
  versitygw: string;
  /** What Attic's command line begins with. */
  atticd: readonly string[];
}

/** How the containers of one kind of image are played. */
export interface Kind {
  name: ProgramKind;
  /** Whether it plays this container. */
  plays: (container: Container) => boolean;
  /** The port of the container that answers, or undefined where none does. */
  containerPort: (container: Container) => number | undefined;
  /**
   * The process for a container.
   *
   * @throws NotYet where something that it needs is not there yet, Fault where the real program would refuse.
   */
  plan: (container: PodContainer, surroundings: Surroundings) => Program;
}
