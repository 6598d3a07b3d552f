// The real socket.io-client against a running server: node socketio.mjs URL HAND.jpg [MODULE]
// Prints {"checks": N}; throws at the first failure.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const [url, path, module = "socket.io-client"] = process.argv.slice(2);
const library = await import(module);
const io = library.io ?? library.default; // Socket.IO 2 has a single export
const hand = await readFile(path);
let checks = 0;

const event = (socket, name, ms = 20000) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} within ${ms} ms`)), ms);
    socket.once(name, (data) => {
      clearTimeout(timer);
      resolve(data);
    });
  });

const check = (condition, what) => {
  assert.ok(condition, what);
  checks++;
};

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  const socket = io(url, { transports, reconnection: false });
  const connected = await event(socket, "connected");
  check(connected.status === "ok" && connected.sid === socket.id, "connected has the socket's id");
  if (transports.length === 2) {
    if (socket.io.engine.transport.name !== "websocket") await event(socket.io.engine, "upgrade");
    check(socket.io.engine.transport.name === "websocket", "upgraded");
  }
  let result = event(socket, "result");
  socket.emit("frame", { image: hand, color: "#00ff00", id: 1 });
  const binary = await result;
  check(Buffer.isBuffer(binary.image) && binary.image[0] === 0xff && binary.id === 1, "binary");
  check(binary.nails.length > 0, "nails");
  result = event(socket, "result");
  socket.emit("frame", { image: `data:image/jpeg;base64,${hand.toString("base64")}`, id: 2 });
  check((await result).image.startsWith("data:image/jpeg;base64,"), "data URL");
  const answer = await new Promise((done) => socket.emit("frame", { image: hand, id: 3 }, done));
  check(Buffer.isBuffer(answer.image) && answer.id === 3, "acknowledgement");
  // A picture alone: the payload of the reply is the painted picture alone.
  for (const bare of [hand, hand.toString("base64"), `data:;base64,${hand.toString("base64")}`]) {
    result = event(socket, "result");
    socket.emit("frame", bare);
    const painted = await result;
    const text = typeof painted === "string" ? painted.split(",").pop() : undefined;
    const bytes = text === undefined ? painted : Buffer.from(text, "base64");
    check(typeof painted === typeof bare && bytes.readUInt16BE(0) === 0xffd8, "a picture alone");
  }
  const error = event(socket, "error");
  socket.emit("frame", { image: "!", id: 4 });
  const told = await error;
  check(told.status === "SYNTAX" && told.id === 4 && told.message === told.error, "error");
  socket.disconnect();
}
console.log(JSON.stringify({ checks }));
