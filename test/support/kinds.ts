import { secretKeys } from "../../components/settings/schema.ts";
import atticStack from "../../index.ts";
import { type Deployment, deploy } from "./mocks.ts";
import {
  BUCKET,
  content,
  type Content,
  DATABASE_URL,
  GARAGE,
  GATEWAY_API,
  GATEWAY_API_PARENT,
  MINIO,
  NGINX,
  raw,
  STORE_SECRETS,
  TRAEFIK,
  VOLUME,
} from "./stack-files.ts";

export const databases = {
  postgres: { database: { kind: "postgres" } },
  existing: { database: { kind: "existing" }, databaseUrl: DATABASE_URL },
} satisfies Record<string, Content>;

export const stores = {
  garage: { storage: GARAGE },
  "garage behind an edge": { storage: { kind: "garage", clients: "edge" } },
  minio: { storage: MINIO },
  "minio behind an edge": { storage: { kind: "minio", clients: "edge" } },
  existing: { storage: BUCKET, ...STORE_SECRETS },
  volume: { storage: VOLUME },
} satisfies Record<string, Content>;

export const gateways = {
  "gateway-api": { gateway: GATEWAY_API },
  "gateway-api on a shared Gateway": { gateway: GATEWAY_API_PARENT },
  traefik: { gateway: TRAEFIK },
  nginx: { gateway: NGINX },
} satisfies Record<string, Content>;

export interface Kinds {
  database: keyof typeof databases;
  store: keyof typeof stores;
  gateway: keyof typeof gateways;
}

/** Every database with every store and every gateway. */
export const everyKind: readonly Kinds[] = (Object.keys(databases) as Kinds["database"][]).flatMap(
  (database) =>
    (Object.keys(stores) as Kinds["store"][]).flatMap((store) =>
      (Object.keys(gateways) as Kinds["gateway"][]).map((gateway) => ({ database, store, gateway })),
    ),
);

export const nameOf = ({ database, store, gateway }: Kinds): string =>
  `database ${database}, store ${store}, gateway ${gateway}`;

export type Stack = Deployment<ReturnType<typeof atticStack>>;

/** The whole stack by its own program, from a file's content. */
export function deployStack(file: Content, stack = "test"): Promise<Stack> {
  const { values } = raw(file);
  const encrypted = Object.keys(secretKeys).filter((key) => key in values);
  return deploy(atticStack, { stack, config: values, secretKeys: encrypted });
}

const deployed = new Map<string, Promise<Stack>>();

/** The stack of some kinds; what is left out is as in the smallest file. It is deployed once and must not be changed. */
export function stackOf(kinds: Partial<Kinds>, over: Content = {}): Promise<Stack> {
  const { database = "postgres", store = "garage", gateway = "gateway-api" } = kinds;
  const file = content({ ...databases[database], ...stores[store], ...gateways[gateway], ...over });
  const key = JSON.stringify(file);
  const known = deployed.get(key) ?? deployStack(file);
  deployed.set(key, known);
  return known;
}
