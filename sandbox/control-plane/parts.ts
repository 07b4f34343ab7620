import { join } from "node:path";
import type { DaemonSpec } from "../support/daemon.ts";
import type { ToolName } from "../toolchain/index.ts";
import { servingPair, type Identity, type User } from "./identity.ts";

/** What has to be known to run the control plane's programs. */
export interface Setup {
  /** Absolute. */
  folder: string;
  tools: Record<Exclude<ToolName, "pulumi" | "versitygw">, string>;
  identity: Identity;
  ports: Ports;
  stages: readonly string[];
}

/** On 127.0.0.1. */
export interface Ports {
  kubernetes: number;
  /** kwok's server, which stands in for the kubelets: logs, exec and port-forward. */
  kubelet: number;
}

/**
 * etcd's address: a Unix socket in the working folder that etcd and the API server share. No port can be
 * taken, nobody else on the machine can read Secrets from it, and a relative name cannot be too long. The
 * number only makes it an address that etcd accepts.
 */
const ETCD = "unix://etcd:1";

/**
 * There is one of each, nobody asks it for its health, and its server is its own: as clients they hold back
 * to 20 calls a second unless told, which costs the controller manager seconds at its start.
 */
const ALONE = ["--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=500"];

/** Where the kubeconfig of a user stands; the administrator's is the one for everybody outside. */
export function kubeconfigFile(folder: string, user: User): string {
  return join(folder, user === "admin" ? "kubeconfig" : `${user}.kubeconfig`);
}

export function etcd({ folder, tools }: Setup): DaemonSpec {
  return {
    folder,
    name: "etcd",
    command: tools.etcd,
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      // There are no peers: these say so, the listener is a socket nobody knows.
      "--listen-peer-urls=unix://etcd:2",
      "--initial-advertise-peer-urls=http://127.0.0.1:1",
      "--initial-cluster=default=http://127.0.0.1:1",
      // Safe when the process is killed, as the kernel has the pages; only a power cut could lose the last writes.
      "--unsafe-no-fsync",
      "--auto-compaction-mode=periodic",
      "--auto-compaction-retention=10m",
      "--log-level=warn",
    ],
  };
}

export function apiServer({ folder, tools, identity, ports }: Setup): DaemonSpec {
  return {
    folder,
    name: "kube-apiserver",
    // It takes by far the most memory of all: this makes 500 MB 370 at no cost that could be measured.
    env: { GOGC: "40" },
    command: tools["kube-apiserver"],
    args: [
      `--etcd-servers=${ETCD}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      // The Service "kubernetes" cannot have an endpoint on the loopback interface; nothing runs inside anyway.
      "--endpoint-reconciler-type=none",
      `--secure-port=${ports.kubernetes}`,
      `--cert-dir=${identity.certificates}`,
      `--token-auth-file=${identity.tokenFile}`,
      "--authorization-mode=Node,RBAC",
      "--allow-privileged=true",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${identity.accountKey}`,
      `--service-account-signing-key-file=${identity.accountKey}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--profiling=false",
    ],
  };
}

export function controllerManager({ folder, tools, identity }: Setup): DaemonSpec {
  return {
    folder,
    name: "kube-controller-manager",
    command: tools["kube-controller-manager"],
    args: [
      `--kubeconfig=${kubeconfigFile(folder, "controller-manager")}`,
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${identity.accountKey}`,
      `--root-ca-file=${servingPair(identity).certificate}`,
      // A machine that slept must not find its nodes lost and their pods evicted.
      "--node-monitor-grace-period=1h",
      // Claims that come while it starts are seen only at the next round: 15 s later unless told.
      "--pvclaimbinder-sync-period=1s",
      ...ALONE,
    ],
  };
}

export function scheduler({ folder, tools }: Setup): DaemonSpec {
  return {
    folder,
    name: "kube-scheduler",
    command: tools["kube-scheduler"],
    args: [`--kubeconfig=${kubeconfigFile(folder, "scheduler")}`, ...ALONE],
  };
}

export function kwok({ folder, tools, identity, ports, stages }: Setup): DaemonSpec {
  const { certificate, key } = servingPair(identity);
  return {
    folder,
    name: "kwok",
    command: tools.kwok,
    args: [
      `--kubeconfig=${kubeconfigFile(folder, "kwok")}`,
      ...stages.map((file) => `--config=${file}`),
      "--manage-all-nodes=true",
      "--node-ip=127.0.0.1",
      `--node-port=${ports.kubelet}`,
      `--server-address=127.0.0.1:${ports.kubelet}`,
      `--tls-cert-file=${certificate}`,
      `--tls-private-key-file=${key}`,
      // With leases, which let several kwoks share nodes, a new one waits until the old one's lease has ended.
      "--node-lease-duration-seconds=0",
      // Whoever wants to reach a pod creates one of these, which sends a port-forward to a port of this machine.
      "--enable-crds=ClusterPortForward",
    ],
  };
}
