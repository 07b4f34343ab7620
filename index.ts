import { Caches } from "./components/attic/caches.ts";
import { createDatabase } from "./components/database/index.ts";
import { Edge } from "./components/edge/index.ts";
import { createGateway } from "./components/gateway/index.ts";
import type { StackOutputs } from "./components/outputs.ts";
import { Platform } from "./components/platform/index.ts";
import { AtticServer } from "./components/server/index.ts";
import { readSettings } from "./components/settings/index.ts";
import { createStorage } from "./components/storage/index.ts";

const NAME = "attic";

/**
 * The stack, as the engine runs it: by the plain CLI, which calls what a program exports, and by the
 * Automation API, which is given this function.
 */
export default function atticStack(): StackOutputs {
  const settings = readSettings();
  const { namespace, protectData, gateway: way } = settings;

  const platform = new Platform(NAME, {
    namespace,
    protectData,
    gatewayNamespace: way.controllerNamespace,
    gatewaySources: way.sources,
  });
  const database = createDatabase(NAME, settings, platform);
  const store = createStorage(NAME, settings, platform);
  const server = new AtticServer(NAME, {
    platform,
    settings: settings.server,
    database,
    store,
    host: way.host,
  });
  const published = store.type === "s3" && store.backend ? [server.backend, store.backend] : [server.backend];
  const gateway = createGateway(NAME, way, platform, published);

  const contents = new Caches(NAME, { platform, settings, database, server, gateway });
  const edge =
    settings.edge &&
    new Edge(`${NAME}-edge`, {
      platform,
      settings,
      edge: settings.edge,
      database,
      store,
      server,
      caches: contents,
      origin: gateway.apiEndpoint,
    });

  return {
    namespace: platform.namespace,
    apiEndpoint: gateway.apiEndpoint,
    server: { service: server.service, port: server.port },
    tokenAlgorithm: server.signingKey.algorithm,
    ...(server.signingKey.publicKey && { tokenPublicKey: server.signingKey.publicKey }),
    signingKey: server.signingKey.secret,
    databaseUrl: database.url,
    ...(database.caBundle && { databaseCa: database.caBundle }),
    ...(store.type === "s3" && {
      bucket: {
        name: store.bucket,
        region: store.region,
        ...(store.endpoint !== undefined && { endpoint: store.endpoint }),
      },
    }),
    caches: contents.caches,
    tokens: contents.tokens,
    tokensExpireAt: contents.tokensExpireAt,
    ...(edge && { edge: { url: edge.url, bucket: edge.bucket, caches: edge.caches } }),
  };
}
