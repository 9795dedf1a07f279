# Sourced by the scripts that fetch something from another suite of Debian than the machine's own.
#
#   private_apt DIR TYPE SUITE   TYPE is deb or deb-src. On success the array apt_options makes apt-get use DIR alone, with
#                                fresh lists of SUITE: the machine's lists, sources and packages stay as they are. Fails
#                                where the machine has no Debian source to take the place of the archive from.

# The first "URIs:" of a deb822 file, or the first URI of a one-line file, that serves Debian itself.
debian_uri() {
  { cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null || true; } |
    sed -n -E 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb(-src)?[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\3/p' |
    grep -E '/debian/?$' | head -n 1
}

private_apt() {
  local dir=$1 type=$2 suite=$3 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  command -v apt-get >/dev/null || return 1
  uri=$(debian_uri) && [ -n "$uri" ] && [ -f "$keyring" ] || return 1
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  echo "$type [signed-by=$keyring] $uri $suite main" >"$dir/sources.list"
  apt_options=(-qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update
}
