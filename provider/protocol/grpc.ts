import {
  type Metadata,
  type sendUnaryData,
  type Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";

/** An error as gRPC sends it. */
export interface Status {
  code: status;
  details: string;
  metadata?: Metadata;
}

/** Any error by its message alone. */
export function plainStatus(error: unknown): Status {
  return { code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) };
}

/** A call's handler in gRPC's form: what it returns is the answer, what it throws is the error. */
export function answer<Request, Response>(
  handle: (request: Request) => Promise<Response> | Response,
  toStatus: (error: unknown) => Status = plainStatus,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    // In a promise, so that what a handler throws at once becomes the call's error too.
    void Promise.resolve(call.request)
      .then(handle)
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(toStatus(error));
        },
      );
  };
}

/** Listens on a free port of this machine and prints it, as the engine expects of whatever it starts. */
export function listen(server: Server): void {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
}
