// What Node loads before a program of `mockserver run`: connections to the providers' hosts lead to the mock.
// fetch, https, undici and all that stands on them connect by net.Socket; few of them heed HTTPS_PROXY.
// The mock's certificate is trusted by NODE_EXTRA_CA_CERTS.
"use strict";

const told = JSON.parse(process.env.MOCKSERVER_RUN || "null");

if (told) {
  const fs = require("node:fs");
  const net = require("node:net");
  const hosts = new Set(told.hosts);
  const ports = { 443: told.tls, 80: told.plain };
  const connect = net.Socket.prototype.connect;

  const isProviders = (host) =>
    !told.live.includes("*") && !told.live.includes(host) &&
    told.domains.some((domain) => host === domain || host.endsWith(`.${domain}`));

  // connect(options, f), connect(port, host, f), connect(path, f), or what net.connect has made of these.
  const read = (args) => {
    const given = Array.isArray(args[0]) ? args[0] : args;
    const callback = given.find((each) => typeof each === "function");
    if (given[0] !== null && typeof given[0] === "object") return [given[0], callback];
    if (!/^\d+$/.test(String(given[0]))) return [{ path: given[0] }, callback];
    return [{ port: given[0], host: typeof given[1] === "string" ? given[1] : "localhost" }, callback];
  };

  net.Socket.prototype.connect = function (...args) {
    const [options, callback] = read(args);
    const host = String(options.path ? "" : options.host || options.hostname || "").toLowerCase().replace(/\.$/, "");
    const port = Number(options.port);
    if (hosts.has(host) && ports[port]) {
      // The name stays that of the certificate: tls keeps the options that it was given.
      const led = { ...options, host: "127.0.0.1", port: ports[port], family: 4, lookup: undefined };
      return connect.call(this, led, ...(callback ? [callback] : []));
    }
    if (isProviders(host)) {
      fs.appendFileSync(told.report, `${host} ${port}\n`, { mode: 0o600 });
      const sentence = `mockserver run lets no call out to a provider's own ${host}:${port}`;
      const error = Object.assign(new Error(sentence), { code: "ECONNREFUSED", address: host, port });
      process.nextTick(() => this.destroy(error));
      return this;
    }
    return connect.apply(this, args);
  };
}
