import { request } from "node:http";
import { connect } from "node:net";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Whether a server answers a GET of "/".
 *
 * @param status the one that the answer has to have; without it any will do, as a store refuses who has not signed.
 */
export async function httpAnswers(port: number, status?: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/", timeout: PATIENCE, agent: false },
      (response) => {
        response.resume();
        resolve(status === undefined || response.statusCode === status);
      },
    );
    call.on("timeout", () => call.destroy());
    call
      .on("error", () => {
        resolve(false);
      })
      .end();
  });
}

/** The server says so while it starts or stops; every other answer means that it takes connections. */
const CANNOT_CONNECT_NOW = "57P03";

/** Whether a PostgreSQL server takes connections, without one being let in: what `pg_isready` asks. */
export async function postgresAnswers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: PATIENCE });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on("connect", () => socket.write(startupMessage()))
      .on("data", (data) => {
        // An error, with its code in a field that begins with C, or a question for credentials.
        end(!(data[0] === 0x45 && data.includes(`\0C${CANNOT_CONNECT_NOW}\0`)));
      })
      .on("timeout", () => {
        end(false);
      })
      .on("error", () => {
        end(false);
      })
      .on("close", () => {
        end(false);
      });
  });
}

/** Protocol 3.0 and a user; see "Message Formats" in PostgreSQL's manual. */
function startupMessage(): Buffer {
  const body = Buffer.from("user\0postgres\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(0x0003_0000, 4);
  return Buffer.concat([head, body]);
}
