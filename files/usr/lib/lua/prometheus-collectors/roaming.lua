-- Measurements of the roaming daemon for prometheus-node-exporter-lua, asked of ubus.
-- The same names as `roaming metrics` prints.

local ubus = require "ubus"

-- What can become less is no counter.
local gauges = { neighbours = true, addresses_set_aside = true }

-- A peer that dials has another port each time, which would be a time series each. Of two sessions with one peer the one
-- that is up counts.
local function series_of(peers)
  local series, order = {}, {}
  for _, peer in ipairs(peers) do
    local remote = peer.direction == "in" and peer.remote:gsub(":%d+$", "") or peer.remote
    if not series[remote] then order[#order + 1] = remote end
    if not series[remote] or series[remote].state ~= "up" then series[remote] = peer end
  end
  return series, order
end

local function scrape_status(status)
  metric("roaming_info", "gauge", { version = status.version, node = status.node, hostname = status.hostname }, 1)
  metric("roaming_uptime_seconds", "gauge", nil, status.uptime)
  metric("roaming_clients_here", "gauge", nil, status.clients_here)
  metric("roaming_records", "gauge", nil, status.records)
  metric("roaming_routes_installed", "gauge", nil, status.routes.installed)
  metric("roaming_routes_pending", "gauge", nil, status.routes.pending)
  metric("roaming_problems", "gauge", nil, #status.problems)
  for name in pairs(gauges) do metric("roaming_" .. name, "gauge", nil, status.counters[name] or 0) end
  for name, value in pairs(status.counters) do
    if not gauges[name] then metric("roaming_" .. name .. "_total", "counter", nil, value) end
  end
end

-- Where there are many routers the answer comes in parts: `next` is what to ask for the rest after.
local function scrape_nodes(bus)
  local clients, after = metric("roaming_clients", "gauge"), ""
  while after do
    local answer = bus:call("roaming", "nodes", { after = after })
    for _, node in ipairs(answer.nodes) do
      clients({ node = node.node, node_name = node.name }, node.clients)
    end
    after = answer.next
  end
end

-- One metric after the other: the text format wants the samples of a name together.
local function scrape_peers(peers)
  local readings = {
    { "roaming_peer_up", function(peer) return peer.state == "up" and not peer.unresponsive and 1 or 0 end },
    { "roaming_peer_rtt_seconds", function(peer) return peer.rtt and peer.rtt / 1000 end },
    { "roaming_peer_received_bytes", function(peer) return peer.bytes_in end },
    { "roaming_peer_sent_bytes", function(peer) return peer.bytes_out end },
  }
  local series, order = series_of(peers)
  for _, reading in ipairs(readings) do
    local output = metric(reading[1], "gauge")
    for _, remote in ipairs(order) do
      local peer = series[remote]
      local value = reading[2](peer)
      if value then output({ remote = remote, node = peer.node, node_name = peer.node_name }, value) end
    end
  end
end

local function scrape()
  local bus = ubus.connect()
  if not bus then return end
  local status = bus:call("roaming", "status", {})
  if status then
    scrape_status(status)
    scrape_nodes(bus)
    scrape_peers(bus:call("roaming", "peers", {}).peers)
  end
  bus:close()
end

return { scrape = scrape }
