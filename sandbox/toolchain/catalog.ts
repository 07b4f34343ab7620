/** The programs that the sandbox runs and that npm does not bring. */
export type ToolName =
  "pulumi" | "etcd" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kwok" | "versitygw";

/** Names of the processor as Go and most releases write it. */
export type Architecture = "amd64" | "arm64";

/** One file of an official release. */
export interface Release {
  tool: ToolName;
  /** The program itself, or a .tar.gz that holds it. */
  url: string;
  /** Path of the program inside the archive; undefined where `url` is the program itself. */
  member?: string;
  /**
   * Where its SHA-256 is published: a list as `sha256sum` writes it, a file that holds nothing but the sum,
   * or GitHub's description of a release, which gives the digest of each file.
   */
  checksums: string;
}

/** A Go module that the programs can be built from. */
export interface GoSource {
  module: string;
  version: string;
  /** The package of each program. */
  commands: Partial<Record<ToolName, string>>;
  /** What the linker writes into the programs, `path.Variable=value`. */
  variables: readonly string[];
  /**
   * The version of the modules that the module replaces by folders of its own repository. Kubernetes does
   * that with its staging modules, which are published under v0.MINOR.PATCH.
   */
  staging?: string;
}

/** Programs that are released together and must be of one version. */
export interface Package {
  name: string;
  /** As shown while it is fetched. */
  title: string;
  version: string;
  /** The oldest version that will do where the programs are on PATH already. */
  minimum: string;
  tools: readonly ToolName[];
  /** Arguments that make a program print its version. */
  versionArguments: readonly string[];
  releases: (architecture: Architecture) => readonly Release[];
  source: GoSource;
}

const KUBERNETES = "1.36.3";
const KUBERNETES_TOOLS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const ETCD = "3.6.16";
const KWOK = "0.8.0";
const PULUMI = "3.230.0";
const VERSITYGW = "1.8.0";

export const packages: readonly Package[] = [
  {
    name: "pulumi",
    title: `Pulumi CLI ${PULUMI}`,
    version: PULUMI,
    minimum: "3.200.0",
    tools: ["pulumi"],
    versionArguments: ["version"],
    releases: (architecture) => [
      {
        tool: "pulumi",
        url: `https://get.pulumi.com/releases/sdk/pulumi-v${PULUMI}-linux-${architecture === "amd64" ? "x64" : "arm64"}.tar.gz`,
        member: "pulumi/pulumi",
        checksums: `https://get.pulumi.com/releases/sdk/pulumi-${PULUMI}-checksums.txt`,
      },
    ],
    source: {
      module: "github.com/pulumi/pulumi/pkg/v3",
      version: `v${PULUMI}`,
      commands: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
      // Without a version the Automation API refuses the CLI.
      variables: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${PULUMI}`],
    },
  },
  {
    name: "etcd",
    title: `etcd ${ETCD}`,
    version: ETCD,
    // etcd 3.4 lacks the watch progress that kwok waits for.
    minimum: "3.6.0",
    tools: ["etcd"],
    versionArguments: ["--version"],
    releases: (architecture) => {
      const base = `https://github.com/etcd-io/etcd/releases/download/v${ETCD}`;
      const folder = `etcd-v${ETCD}-linux-${architecture}`;
      return [
        {
          tool: "etcd",
          url: `${base}/${folder}.tar.gz`,
          member: `${folder}/etcd`,
          checksums: `${base}/SHA256SUMS`,
        },
      ];
    },
    source: {
      module: "go.etcd.io/etcd/server/v3",
      version: `v${ETCD}`,
      commands: { etcd: "go.etcd.io/etcd/server/v3" },
      variables: [],
    },
  },
  {
    name: "kubernetes",
    title: `Kubernetes API server, controller manager and scheduler ${KUBERNETES}`,
    version: KUBERNETES,
    minimum: "1.34.0",
    tools: KUBERNETES_TOOLS,
    versionArguments: ["--version"],
    releases: (architecture) =>
      KUBERNETES_TOOLS.map((tool) => {
        const url = `https://dl.k8s.io/release/v${KUBERNETES}/bin/linux/${architecture}/${tool}`;
        return { tool, url, checksums: `${url}.sha256` };
      }),
    source: {
      module: "k8s.io/kubernetes",
      version: `v${KUBERNETES}`,
      commands: Object.fromEntries(KUBERNETES_TOOLS.map((tool) => [tool, `k8s.io/kubernetes/cmd/${tool}`])),
      // Otherwise the server calls itself v0.0.0-master, and clients decide by its version what it can do.
      variables: [
        `k8s.io/component-base/version.gitVersion=v${KUBERNETES}`,
        `k8s.io/component-base/version.gitMajor=${KUBERNETES.split(".")[0] ?? ""}`,
        `k8s.io/component-base/version.gitMinor=${KUBERNETES.split(".")[1] ?? ""}`,
      ],
      staging: `v0.${KUBERNETES.split(".").slice(1).join(".")}`,
    },
  },
  {
    name: "kwok",
    title: `kwok ${KWOK}`,
    version: KWOK,
    minimum: KWOK,
    tools: ["kwok"],
    versionArguments: ["--version"],
    releases: (architecture) => [
      {
        tool: "kwok",
        url: `https://github.com/kubernetes-sigs/kwok/releases/download/v${KWOK}/kwok-linux-${architecture}`,
        // kwok publishes no list of checksums; GitHub gives the digest of every file of a release.
        checksums: `https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags/v${KWOK}`,
      },
    ],
    source: {
      module: "sigs.k8s.io/kwok",
      version: `v${KWOK}`,
      commands: { kwok: "sigs.k8s.io/kwok/cmd/kwok" },
      variables: [],
    },
  },
  {
    name: "versitygw",
    title: `S3 server versitygw ${VERSITYGW}`,
    version: VERSITYGW,
    minimum: VERSITYGW,
    tools: ["versitygw"],
    versionArguments: ["--version"],
    releases: (architecture) => {
      const base = `https://github.com/versity/versitygw/releases/download/v${VERSITYGW}`;
      const folder = `versitygw_v${VERSITYGW}_Linux_${architecture === "amd64" ? "x86_64" : "arm64"}`;
      return [
        {
          tool: "versitygw",
          url: `${base}/${folder}.tar.gz`,
          member: `${folder}/versitygw`,
          checksums: `${base}/checksums.txt`,
        },
      ];
    },
    source: {
      module: "github.com/versity/versitygw",
      version: `v${VERSITYGW}`,
      commands: { versitygw: "github.com/versity/versitygw/cmd/versitygw" },
      variables: [`main.Version=${VERSITYGW}`],
    },
  },
];
