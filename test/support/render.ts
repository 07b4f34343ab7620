// Prints the Kubernetes objects of every kind of stack as JSON. They are made with mocks, which are global to a
// process, so who also runs an engine has this run by a process of its own. Argument: the namespace.
import type { KubernetesObject } from "./cluster.ts";
import { everyKind, nameOf, stackOf } from "./kinds.ts";
import { kubernetes } from "./objects.ts";
import { CERTIFICATE, GARAGE, MINIO, NGINX, TRAEFIK } from "./stack-files.ts";

/** A stack's objects, as the API server gets them. */
export interface Rendered {
  name: string;
  objects: KubernetesObject[];
}

const [namespace = "attic"] = process.argv.slice(2);
const issuer = { kind: "cert-manager", issuer: "local", issuerKind: "Issuer" };
const variants = [
  ...everyKind.map((kinds) => ({ name: nameOf(kinds), kinds, over: {} })),
  {
    name: "three servers that sign with HS256",
    kinds: {},
    over: { server: { replicas: 3, signingAlgorithm: "HS256" } },
  },
  {
    name: "certificates of one's own, storage classes and processor limits",
    kinds: { database: "existing" },
    over: {
      database: { kind: "existing", caBundle: CERTIFICATE },
      storage: { ...MINIO, caBundle: CERTIFICATE, storageClass: "fast" },
      server: { resources: { cpu: "500m", cpuLimit: "2", memory: "1Gi", memoryLimit: "2Gi" } },
      gateway: { ...NGINX, bodyLimit: "20Gi", tls: issuer },
    },
  },
  {
    name: "an issuer of the namespace's own behind Traefik",
    kinds: {},
    over: {
      storage: { ...GARAGE, storageClass: "fast", caBundle: CERTIFICATE },
      gateway: { ...TRAEFIK, tls: issuer },
    },
  },
] as const;

const rendered: Rendered[] = [];
for (const { name, kinds, over } of variants) {
  const { resources } = await stackOf(kinds, { namespace, ...over });
  const objects = kubernetes(resources).map(({ name: resource, inputs }) => {
    const object = inputs as unknown as KubernetesObject;
    // Where the program gives no name, the engine makes one up.
    return { ...object, metadata: { ...object.metadata, name: object.metadata.name || `${resource}-0` } };
  });
  rendered.push({ name, objects });
}
process.stdout.write(JSON.stringify(rendered));
