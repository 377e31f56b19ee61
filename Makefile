# make demo    a client walks between three routers in network namespaces; needs root
# make lab     the same network with a prompt to play in
# make test    all tests; JOBS=1 one file after the other
# make sim     many daemons in one process, in trouble: SEEDS=1000 runs from SEED=1 on; TRACE=1 says what happens
# make build   dist/roaming.js, dist/cli/daemon.js, dist/cli/commands.js and dist/packet.node
# make package  installable packages for OpenWrt in dist/
# make bench   all benchmarks
# make bench-dhcp       DHCPv4 exchanges in a second and their latency, against dnsmasq; a minute
# make bench-flooding   time and bytes for a newcomer to learn all, and for a reconnection; seconds
# make bench-idle       what sessions and links between routers carry while 4,000 clients stay where they are; minutes
# make bench-database   how fast records are merged and what they take; roams on meshes of up to 8,000 nodes; minutes
# make bench-sroamd     the same stream of updates to sroamd and to the daemon, in the virtual machine; SROAMD=its binary
# make bench-ubus       calls and decoding of ubus-ts, against the ubus command; seconds
# make wifi-test   of the tests: real hostapd, wpa_supplicant and Wi-Fi frames in a virtual machine; minutes
# make wifi-sroamd  one network of the daemon and a real sroamd, in that machine: SROAMD=its binary
# make soak    a client roams a thousand times while links fail and daemons die; four minutes, ROAMS=200: one; SEED=...
# make bench-routes     time for routes of 10,000 clients, for another path to their router, and for none; seconds
# make bench-handover   how long streams stop when a client roams, against other systems; minutes
# make bench-wifi       the same in the virtual machine of wifi-test
# make bench-footprint  memory, processor and start time of the daemon, against node alone; CLIENTS='0 1000'
# The first run installs what is missing: Debian packages, and npm packages by the lock file.

ESBUILD = node_modules/.bin/esbuild
BUNDLE = $(ESBUILD) --bundle --platform=node --target=node20 --conditions=@roaming/source --log-level=warning
SOURCES = $(shell find src -name '*.ts' -not -path '*/node_modules/*' -not -path '*/dist/*') package.json
BENCH = build/handover.mjs build/stream build/access-point.mjs
LAB = build/demo.mjs build/access-point.mjs build/tcp-peer.mjs build/inject.mjs
WIFI = build/check.mjs build/stream build/access-point.mjs
LUCI_SCHEMA = openwrt/luci-app-roaming/htdocs/luci-static/resources/roaming/schema.js
NODE_HEADERS = $(shell node -p 'require("path").resolve(process.execPath, "../../include/node")')
# No C library of its own: it uses that of the node which loads it, glibc here and musl on a router.
ADDON_FLAGS = -nostdlib -U_FORTIFY_SOURCE
REPORTER = terse
# Test files at a time. The labs wait more than they compute; left to itself tap takes all processors but one.
JOBS = $(shell echo $$(($$(nproc) + 1)))
VERSION = $(shell node -p 'require("./package.json").version')

.PHONY: build demo lab test sim readme package reference luci clean setup-build setup-lab setup-test setup-bench

build: setup-build dist/roaming.js dist/packet.node $(LUCI_SCHEMA)

demo: setup-lab build $(LAB)
	@node build/demo.mjs

lab: setup-lab build $(LAB)
	@node build/demo.mjs --stay

test: setup-test build $(LAB) $(WIFI)
	@node_modules/.bin/tap run --jobs=$(JOBS) --reporter=$(REPORTER)

# README's option table, from the schema
readme: build
	@UPDATE_README=1 node_modules/.bin/tap run --reporter=silent test/readme.test.ts

package: build
	@node openwrt/package.mjs dist

# The configuration that the package installs, written anew from the table of options.
reference: node_modules/.package-lock.json
	@$(BUNDLE) src/config/reference.ts --format=esm --outfile=build/reference.mjs
	@node -e 'import("./build/reference.mjs").then((m) => process.stdout.write(m.referenceConfiguration()))' >files/etc/config/roaming

SEEDS = 1000
SEED = 1
TRACE = 0

sim: build/sim.mjs
	@SEEDS=$(SEEDS) SEED=$(SEED) TRACE=$(TRACE) node --enable-source-maps build/sim.mjs

# Over TLS on loopback
.PHONY: bench-flooding
bench-flooding: setup-build build/flooding.mjs
	@node build/flooding.mjs

# Captured on loopback, then on the links of a line of routers
.PHONY: bench-idle
bench-idle: setup-bench build build/idle.mjs build/idle-links.mjs build/resident-node.mjs build/access-point.mjs
	@unshare --net node build/idle.mjs
	@node build/idle-links.mjs

.PHONY: bench-database
bench-database: build/merge.mjs build/roams.mjs
	@node build/merge.mjs
	@node --max-old-space-size=8192 --max-semi-space-size=128 build/roams.mjs

.PHONY: bench-ubus
bench-ubus: setup-build build/ubus-ts-bench.mjs
	@node build/ubus-ts-bench.mjs

# Gaps of a roaming client's streams: ours, one layer 2, Babel alone
.PHONY: bench-handover
bench-handover: setup-bench build $(BENCH)
	@node build/handover.mjs

# A thousand roams in trouble
.PHONY: soak
soak: setup-lab build build/soak.mjs build/access-point.mjs
	@node build/soak.mjs

# The kernel's part, in a network namespace of its own
.PHONY: bench-routes
bench-routes: setup-lab build build/routes.mjs
	@unshare --net node build/routes.mjs

# Exit code 77: skipped, and said why.
VM = VM_ENV='ROAMS FORGETS HOPS INTERVAL SYSTEMS SIZES BABELD SROAMD L3ROAMD' test/wifi/vm.sh node
OR_SKIPPED = || { status=$$?; [ $$status = 77 ] || exit $$status; }

.PHONY: wifi-test wifi-sroamd bench-sroamd bench-wifi setup-wifi
wifi-test: setup-wifi build $(WIFI)
	@$(VM) build/check.mjs $(OR_SKIPPED)

wifi-sroamd: setup-wifi build $(BENCH) build/sroamd.mjs
	@[ -x "$$SROAMD" ] || { echo 'skipped: SROAMD does not name a binary of sroamd'; exit 0; }; $(VM) build/sroamd.mjs $(OR_SKIPPED)

# sroamd finds nl80211 there.
bench-sroamd: setup-wifi build build/sroamd-merge.mjs
	@[ -x "$$SROAMD" ] || { echo "Against sroamd's search: left out, SROAMD does not name its binary"; exit 0; }; $(VM) build/sroamd-merge.mjs $(OR_SKIPPED)

bench-wifi: setup-wifi setup-bench build $(BENCH) build/wifi-handover.mjs
	@$(VM) build/wifi-handover.mjs $(OR_SKIPPED)

# The texts of the LuCI app to translate
luci: build/luci.mjs
	@node -e 'import("./build/luci.mjs").then((m) => m.writeTemplate())'

# DHCPv4 exchanges: ours and dnsmasq
.PHONY: bench-dhcp
bench-dhcp: setup-bench build build/dhcp.mjs build/access-point.mjs
	@node build/dhcp.mjs

.PHONY: bench-footprint
bench-footprint: setup-lab build build/footprint.mjs
	@CLIENTS='$(CLIENTS)' unshare --net --mount sh -c 'mount -t sysfs sysfs /sys && exec node build/footprint.mjs'

.PHONY: bench
bench: bench-footprint bench-database bench-sroamd bench-flooding bench-idle bench-ubus bench-dhcp bench-routes bench-handover

clean:
	rm -rf dist build .tap src/*/dist

setup-build:
	@test/setup.sh build

setup-lab:
	@test/setup.sh lab

# Without them what needs a virtual machine is skipped, by name.
setup-wifi: setup-lab
	@test/setup.sh wifi || true

setup-test:
	@test/setup.sh test
	@test/setup.sh wifi || true

setup-bench:
	@test/setup.sh bench

node_modules/.package-lock.json: package-lock.json | setup-build
	@echo 'Installing npm packages'
	@npm ci --no-fund --no-audit --loglevel=error >/dev/null

# CommonJS, because on a router the file stands alone, without a package.json that says otherwise. Names are cut short:
# kept as properties of functions they were measured to cost 2 MiB and a quarter of the start; the source map has them.
# The daemon and the commands go to files of their own, in dist/cli: neither holds the other. Files without imports that
# wait are flat: what is in functions of its own, to be run later, V8 goes through twice.
dist/roaming.js: $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) roaming=src/main.ts cli/daemon=src/cli/daemon.ts cli/commands=src/cli/commands.ts \
		--external:./cli/daemon.js --external:./cli/commands.js --supported:dynamic-import=false \
		--format=cjs --minify --sourcemap=external --legal-comments=none --metafile=build/roaming.json --alias:string-width=./src/cli/string-width.ts \
		'--define:__VERSION__="$(VERSION)"' '--define:import.meta.url=importMetaUrl' \
		--banner:js="$$(printf '#!/usr/bin/env node\nconst importMetaUrl = require("url").pathToFileURL(__filename);')" \
		--outdir=dist
	@chmod +x $@
	@node openwrt/licenses.mjs build/roaming.json >dist/LICENSES
	@echo '{ "type": "commonjs" }' >dist/package.json

build/luci.mjs: openwrt/luci.ts $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --external:esbuild --outfile=$@

# The table of options with the daemon's checks of them, for the web form
$(LUCI_SCHEMA): build/luci.mjs
	@node -e 'import("./build/luci.mjs").then((m) => m.writeSchema())'

dist/packet.node: src/linux/packet.c | setup-build
	@mkdir -p dist
	@test -e $(NODE_HEADERS)/node_api.h || { echo 'build: no node_api.h in $(NODE_HEADERS): the headers of Node.js are needed' >&2; exit 1; }
	@$(CC) -shared -fPIC -O2 -Wall -Wextra $(ADDON_FLAGS) -I$(NODE_HEADERS) -o $@ $< -lgcc

build/stream: test/bench/stream.c | setup-build
	@mkdir -p build
	@$(CC) -O2 -Wall -Wextra -o $@ $<

build/sim.mjs: test/sim/run.ts $(wildcard test/sim/*.ts) $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --sourcemap --outfile=$@

build/ubus-ts-bench.mjs: src/ubus-ts/bench/bench.ts $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --outfile=$@

build/%.mjs: test/wifi/%.ts $(wildcard test/wifi/*.ts test/bench/*.ts test/lab/*.ts) $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --outfile=$@

build/%.mjs: test/bench/%.ts $(wildcard test/bench/*.ts test/lab/*.ts) $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --outfile=$@

build/%.mjs: test/lab/%.ts $(wildcard test/lab/*.ts) $(SOURCES) node_modules/.package-lock.json
	@$(BUNDLE) $< --format=esm --outfile=$@
