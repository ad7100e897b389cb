package configs

import _ "embed"

// Demo is the set-up file of chargehand demo, configs/demo.yaml.
//
//go:embed demo.yaml
var Demo []byte
