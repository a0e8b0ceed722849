//go:build tools

// Package tools names the commands that tests/cluster/binaries.py builds from this module.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
