// Loaded before a command by `node --import`: ends it at once if it opens a connection or looks up a host.
import dns from "node:dns";
import net from "node:net";

const stop = () => process.exit(99);
net.Socket.prototype.connect = stop;
dns.lookup = stop;
