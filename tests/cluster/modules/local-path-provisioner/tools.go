//go:build tools

// Package tools names the commands that tests/cluster/binaries.py builds from this module.
package tools

import (
	_ "github.com/rancher/local-path-provisioner"
)
