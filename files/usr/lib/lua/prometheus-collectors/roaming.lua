-- Measurements of the roaming daemon for prometheus-node-exporter-lua, asked of ubus.
-- The same names as `roaming metrics` prints.

local ubus = require "ubus"

local function peer_labels(peer)
  return { remote = peer.remote, node = peer.node, node_name = peer.node_name }
end

local function scrape_status(status)
  metric("roaming_info", "gauge", { version = status.version, node = status.node, hostname = status.hostname }, 1)
  metric("roaming_uptime_seconds", "gauge", nil, status.uptime)
  metric("roaming_clients_here", "gauge", nil, status.clients_here)
  metric("roaming_records", "gauge", nil, status.records)
  metric("roaming_routes_installed", "gauge", nil, status.routes.installed)
  metric("roaming_routes_pending", "gauge", nil, status.routes.pending)
  metric("roaming_problems", "gauge", nil, #status.problems)
  metric("roaming_neighbours", "gauge", nil, status.counters.neighbours or 0)
  for name, value in pairs(status.counters) do
    if name ~= "neighbours" then metric("roaming_" .. name .. "_total", "counter", nil, value) end
  end
end

local function scrape_nodes(nodes)
  local clients = metric("roaming_clients", "gauge")
  for _, node in ipairs(nodes) do
    clients({ node = node.node, node_name = node.name }, node.clients)
  end
end

-- One metric after the other: the text format wants the samples of a name together.
local function scrape_peers(peers)
  local readings = {
    { "roaming_peer_up", function(peer) return peer.state == "up" and 1 or 0 end },
    { "roaming_peer_rtt_seconds", function(peer) return peer.rtt and peer.rtt / 1000 end },
    { "roaming_peer_received_bytes", function(peer) return peer.bytes_in end },
    { "roaming_peer_sent_bytes", function(peer) return peer.bytes_out end },
  }
  for _, reading in ipairs(readings) do
    local output = metric(reading[1], "gauge")
    for _, peer in ipairs(peers) do
      local value = reading[2](peer)
      if value then output(peer_labels(peer), value) end
    end
  end
end

local function scrape()
  local bus = ubus.connect()
  if not bus then return end
  local status = bus:call("roaming", "status", {})
  if status then
    scrape_status(status)
    scrape_nodes(bus:call("roaming", "nodes", {}).nodes)
    scrape_peers(bus:call("roaming", "peers", {}).peers)
  end
  bus:close()
end

return { scrape = scrape }
