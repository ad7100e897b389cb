package crm

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
)

// The kinds of what has an id here.
const (
	serviceID = "service"
	typeID    = "service_type"
	familyID  = "service_family"
	udrTypeID = "udr_type"
	unitID    = "unit"
)

// Targets are the three of which an entry is about one; the others are null.
type Targets struct {
	Service *Service     `json:"service"`
	Type    *ProductType `json:"service_type"`
	Family  *Family      `json:"service_family"`
}

// Service is what is used, with all that is known of its type.
type Service struct {
	ID              string       `json:"id"`
	Code            string       `json:"code"`
	AlternativeCode *string      `json:"alternative_code"`
	Description     *string      `json:"description"`
	Type            *ProductType `json:"product_type"`
}

// ProductType is a service type. What CRM.COM's types have besides is as that of
// a service which is used: it is no physical good, provisions nothing, and has no
// parts.
type ProductType struct {
	ID                  string   `json:"id"`
	Name                string   `json:"name"`
	AlternativeCode     string   `json:"alternative_code"`
	Description         *string  `json:"description"`
	ServiceType         string   `json:"service_type"`
	Classification      string   `json:"classification"`
	CompositionMethod   string   `json:"composition_method"`
	UsedForProvisioning bool     `json:"used_for_provisioning"`
	PhysicalGoodType    any      `json:"physical_good_type"`
	UDRType             *UDRType `json:"udr_type"`
}

// UDRType is the type of a service type's usage records: here each has its own.
type UDRType struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	AlternativeCode string  `json:"alternative_code"`
	Description     *string `json:"description"`
	Unit            *Unit   `json:"unit_of_measurement"` // null: uses are counted
}

// Unit is what quantities are measured in.
type Unit struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	AlternativeCode string  `json:"alternative_code"`
	Description     *string `json:"description"`
}

// Family groups service types.
type Family struct {
	ID          string  `json:"id"`
	Code        string  `json:"code"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

// shelf holds the catalogue as it is printed.
type shelf struct {
	services map[string]billing.Service
	types    map[string]billing.ServiceType
	families map[string]billing.Family
}

func shelve(in setup.Catalogue) *shelf {
	s := &shelf{map[string]billing.Service{}, map[string]billing.ServiceType{}, map[string]billing.Family{}}
	for _, v := range in.Services {
		s.services[v.Code] = v
	}
	for _, v := range in.Types {
		s.types[v.Code] = v
	}
	for _, v := range in.Families {
		s.families[v.Code] = v
	}
	return s
}

// targets is a target with what is known of it.
func (s *shelf) targets(of billing.Scope) (t Targets) {
	switch of.Kind {
	case billing.OfService:
		v := s.services[of.Target]
		t.Service = &Service{ID: idOf(serviceID, of.Target), Code: of.Target, AlternativeCode: orNull(v.AlternativeCode),
			Description: orNull(v.Description), Type: s.productType(v.Type)}
	case billing.OfType:
		t.Type = s.productType(of.Target)
	case billing.OfFamily:
		t.Family = &Family{ID: idOf(familyID, of.Target), Code: of.Target, Name: s.families[of.Target].Name}
	}
	return t
}

func (s *shelf) productType(code string) *ProductType {
	v := s.types[code]
	t := &ProductType{ID: idOf(typeID, code), Name: v.Name, AlternativeCode: code,
		ServiceType: "USAGE", Classification: "SERVICES", CompositionMethod: "FLAT",
		UDRType: &UDRType{ID: idOf(udrTypeID, code), Name: v.Name, AlternativeCode: code}}
	if v.Unit != (billing.Unit{}) {
		t.UDRType.Unit = &Unit{ID: idOf(unitID, v.Unit.Code), Name: v.Unit.Name, AlternativeCode: v.Unit.Code}
	}
	return t
}

// orNull is a text, null where there is none.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
